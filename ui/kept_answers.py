"""Stored answers as they are shown: with what is known of their papers by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.schema import Annotation

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog
    from assistant.storage.conversation_schema import StoredTurn


def with_notices(stored: Sequence[StoredTurn], catalog: Catalog) -> list[StoredTurn]:
    """Return stored turns whose papers carry the present notices. Raises LibraryError."""
    return [
        replace(one_turn, turn=replace(one_turn.turn, answer=catalog.notices.current(one_turn.turn.answer)))
        for one_turn in stored
    ]


def cited_annotations(stored: Sequence[StoredTurn], catalog: Catalog) -> dict[str, Annotation]:
    """Return what persons have added to the papers that answers cite, by the ids that the answers have.

    Raises LibraryError.
    """
    cited = {citation.paper.id for one_turn in stored for citation in one_turn.turn.answer.citations}
    present = {paper_id: present_id for paper_id in cited for present_id in catalog.papers.present_ids([paper_id])}
    annotations = catalog.annotations.of_papers(set(present.values()))
    return {paper_id: annotations[now] for paper_id, now in present.items() if now in annotations}

"""Make the digest of what has arrived since the last one, and store it: complete, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.watching.living_answers import KeptAnswer, changed_answers
from assistant.watching.nearness import ranked
from assistant.watching.news import WatchDigest
from assistant.watching.serialization import answer_change_json, digest_json

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog

# Papers that a digest lists; it counts the others.
MAX_PAPERS = 200


def has_news(catalog: Catalog) -> bool:
    """Return whether papers have arrived, or notices, that no digest has told of. Raises LibraryError."""
    return bool(catalog.digests.arrived() or catalog.notices.untold())


def make_digest(assistant: Assistant, by_owner: Mapping[str, Sequence[KeptAnswer]]) -> int | None:
    """Store a digest of what is new, and return its id; None where nothing is.

    `by_owner` has the kept answers of each owner of conversations. Raises LibraryError and ModelError; what is new is
    left to the next digest then.
    """
    catalog = assistant.library.catalog
    sources, noticed_ids = catalog.digests.arrived(), catalog.notices.untold()
    papers = catalog.papers.get(list(sources))
    noticed = catalog.papers.get(noticed_ids)
    new_papers = ranked(papers, sources, assistant.library)
    digest = WatchDigest(tuple(new_papers[:MAX_PAPERS]), len(new_papers), tuple(noticed))
    if not digest:
        return None
    new_ids, told_ids = {paper.id for paper in papers}, set(noticed_ids)
    changes = {
        owner: [answer_change_json(change) for change in changed_answers(of_owner, new_ids, told_ids, assistant)]
        for owner, of_owner in by_owner.items()
    }
    changed = {owner: of_owner for owner, of_owner in changes.items() if of_owner}
    return catalog.digests.add(digest_json(digest), changed, [paper.id for paper in papers])

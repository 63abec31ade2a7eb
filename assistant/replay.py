"""Replay a stored conversation over the present library and settings, and compare the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.errors import NotFoundError
from assistant.schema import Answer, Paper, Strength, Turn

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog


@dataclass(frozen=True, slots=True)
class ReplayComparison:
    """A question's stored and new answer; `gained` and `lost` are the papers that only one of them cites."""

    before: Answer
    after: Answer
    gained: tuple[Paper, ...]
    lost: tuple[Paper, ...]

    @property
    def changed(self) -> bool:
        """Tell whether other papers are cited or the strength differs; wording does not count."""
        return bool(self.gained or self.lost) or self.before.strength is not self.after.strength


def replay(assistant: Assistant, turns: Sequence[Turn]) -> Iterator[ReplayComparison]:
    """Yield a comparison for each turn, asked again in order within its scope; each sees the new turns before it.

    Raises as `Assistant.ask` does, except that a missing paper of the scope makes the new answer an abstention.
    """
    replayed: list[Turn] = []
    for turn in turns:
        replayed.append(replace(turn, answer=_answer(assistant, turn, replayed)))
        yield compare(turn.answer, replayed[-1].answer, assistant.library.catalog)


def _answer(assistant: Assistant, turn: Turn, history: Sequence[Turn]) -> Answer:
    try:
        return assistant.ask(turn.question, history, turn.scope)
    except NotFoundError as error:
        text = f"This question can no longer be asked: {error}."
        return Answer(turn.question, turn.question, Strength.NONE, 0.0, text, str(error))


def compare(before: Answer, after: Answer, catalog: Catalog) -> ReplayComparison:
    """Compare the papers that two answers cite; a paper that has been merged into another one counts as that one."""
    earlier = {_current_id(citation.paper, catalog): citation.paper for citation in before.citations}
    current = {citation.paper.id: citation.paper for citation in after.citations}
    gained = tuple(paper for paper_id, paper in current.items() if paper_id not in earlier)
    lost = tuple(paper for paper_id, paper in earlier.items() if paper_id not in current)
    return ReplayComparison(before, after, gained, lost)


def _current_id(paper: Paper, catalog: Catalog) -> str:
    try:
        return catalog.papers.find(paper.id).id
    except NotFoundError:
        return paper.id

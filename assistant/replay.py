"""An old conversation asked again: what the library, the settings and the code of today make of it."""

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
class Comparison:
    """A question's answers then and now; `gained` and `lost` are the papers cited in one of them only."""

    before: Answer
    after: Answer
    gained: tuple[Paper, ...]
    lost: tuple[Paper, ...]

    @property
    def changed(self) -> bool:
        """Whether other papers are cited, or the answer is more or less certain in kind. Wording does not count."""
        return bool(self.gained or self.lost) or self.before.strength is not self.after.strength


def replay(assistant: Assistant, old: Sequence[Turn]) -> Iterator[Comparison]:
    """Asks the questions again, in order, of the papers of the same scope; each sees the new turns before it.

    Raises as `Assistant.ask` does, but where a paper of the scope is gone, which is an abstention.
    """
    new: list[Turn] = []
    for turn in old:
        new.append(replace(turn, answer=_answer(assistant, turn, new)))
        yield compare(turn.answer, new[-1].answer, assistant.library.catalog)


def _answer(assistant: Assistant, turn: Turn, history: Sequence[Turn]) -> Answer:
    try:
        return assistant.ask(turn.question, history, turn.scope)
    except NotFoundError as gone:
        text = f"This cannot be asked any more: {gone}."
        return Answer(turn.question, turn.question, Strength.NONE, 0.0, text, str(gone))


def compare(before: Answer, after: Answer, catalog: Catalog) -> Comparison:
    """What changed between two answers; a paper that was merged into another since is the same paper."""
    then = {_present_id(citation.paper, catalog): citation.paper for citation in before.citations}
    now = {citation.paper.id: citation.paper for citation in after.citations}
    gained = tuple(paper for paper_id, paper in now.items() if paper_id not in then)
    lost = tuple(paper for paper_id, paper in then.items() if paper_id not in now)
    return Comparison(before, after, gained, lost)


def _present_id(paper: Paper, catalog: Catalog) -> str:
    try:
        return catalog.papers.find(paper.id).id
    except NotFoundError:
        return paper.id

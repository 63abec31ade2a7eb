"""Choose the papers of a table: those of given ids, the hits of a question or topic, or those that a filter selects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.question.filters import parse_selection
from assistant.question.summary_topic import about
from assistant.schema import Paper, Sort
from assistant.tables.columns import as_question

if TYPE_CHECKING:
    from assistant.storage.papers import Papers

# Rows of one table, and those of a question without a limit of its own.
MAX_ROWS, QUESTION_ROWS = 10_000, 20

# Returns the best papers for a question, so many at most.
FindPapers = Callable[[str, int], Iterable[Paper]]


@dataclass(frozen=True, slots=True)
class RowChoice:
    """What chooses the papers of a table: ids, a question or a topic, or filters and words; without any, all papers.

    `limit` is the most rows.
    """

    ids: tuple[str, ...] = ()
    question: str = ""
    filter: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """The ids of the papers of a table in order, and how many there would be without a limit."""

    ids: tuple[str, ...]
    total: int


def choose_rows(choice: RowChoice, papers: Papers, find: FindPapers) -> ChosenRows:
    """Return the papers of a table, newest first where a filter selects them.

    Raises InputError for more than one choice, an unknown filter or too many rows; NotFoundError for an unknown id.
    """
    if sum(map(bool, (choice.ids, choice.question.strip(), choice.filter.strip()))) > 1:
        raise InputError("rows", "are chosen by ids, by a question or by a filter, not by several of them")
    limit = choice.limit if choice.limit is not None else MAX_ROWS
    if not 1 <= limit <= MAX_ROWS:
        raise InputError("rows", f"a table has 1 to {MAX_ROWS:,} rows, not {limit:,}")
    if choice.ids:
        return _of_ids(choice.ids, papers, limit)
    if choice.question.strip():
        wanted = QUESTION_ROWS if choice.limit is None else limit
        question = as_question(choice.question.strip(), about)
        ids = tuple(dict.fromkeys(paper.id for paper in find(question, wanted)))[:wanted]
        return ChosenRows(ids, len(ids))
    page = papers.page(parse_selection(choice.filter, papers.has_author), Sort.YEAR, limit=limit)
    return ChosenRows(tuple(paper.id for paper in page.papers), page.total)


def _of_ids(ids: Iterable[str], papers: Papers, limit: int) -> ChosenRows:
    chosen = tuple(dict.fromkeys(papers.find(paper_id).id for paper_id in ids))
    return ChosenRows(chosen[:limit], len(chosen))

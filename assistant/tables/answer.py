"""Answer a message that asks for a table: choose its papers, fill it, and cite the sentences behind its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answering.answerability import Decision, abstain
from assistant.citations import build_citations, cited_text
from assistant.digest.catalog_text import counted, joined, quoted
from assistant.digest.digest import NAME
from assistant.digest.listing import listed_papers
from assistant.question.summary_topic import about
from assistant.retrieval.search import Found
from assistant.schema import (
    EVERYTHING,
    Answer,
    CellSource,
    Hit,
    Paper,
    Passage,
    Query,
    Row,
    Scope,
    Sentence,
    Sort,
    Strength,
    Table,
    Turn,
    Verdict,
)
from assistant.tables.filling import TableFiller
from assistant.tables.request import TableRequest
from assistant.text.matching import contains_phrase
from assistant.timing import at_once

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# Rows of a table that a chat shows: those found for a topic, and those of a choice.
_OF_TOPIC, _OF_CHOICE = 10, 20
_NO_PAPERS = "the message names no topic, and no answer before it has papers: name a topic, or pin papers"
_CERTAIN = Decision(1.0, Strength.FIRM)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The papers of a table, how many there would be without a limit, which they are, and how sure that is."""

    papers: tuple[Paper, ...]
    total: int
    which: str
    decision: Decision = _CERTAIN
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class TableAnswers:
    """Answers messages that ask for a table.

    `find` returns the papers of a question, read; `decide` tells whether they answer it.
    """

    catalog: Catalog
    filler: TableFiller
    find: Callable[[Query], Found]
    decide: Callable[[Found], Decision]

    def stream(
        self, request: TableRequest, draft: Answer, history: Sequence[Turn], scope: Scope, started: float
    ) -> Iterator[Answer]:
        """Yield the draft after each row that is filled, then the answer. Raises LibraryError and ModelError.

        `draft` has the question as it was understood; `scope` is the one that the person chose, `started` the reading
        of the clock at the question, in seconds.
        """
        chosen = self._choose(request.topic, draft, history, scope)
        draft = replace(draft, strength=chosen.decision.strength, confidence=chosen.decision.confidence)
        draft = replace(draft, reason=chosen.decision.reason, searched=self.catalog.papers.count())
        if not chosen.papers:
            yield replace(abstain(replace(draft, strength=Strength.NONE, hits=chosen.hits)), timings=at_once(started))
            return
        rows: list[Row] = []
        for row in self.filler.rows([paper.id for paper in chosen.papers], request.columns):
            rows.append(row)
            yield replace(draft, progress=f"{len(rows)} of {counted(len(chosen.papers))} read")
        table = Table(tuple(column.name for column in request.columns), tuple(rows), chosen.total)
        yield replace(_finished(draft, table, chosen.which), timings=at_once(started))

    def _choose(self, topic: str, draft: Answer, history: Sequence[Turn], scope: Scope) -> _Chosen:
        """Return the papers that a table is about: of a collection, a topic, a choice, or the answer before."""
        if name := self._collection(topic, draft.question):
            of_collection = replace(draft, scope=Scope(collections=(name,)))
            return self._selected(of_collection, f"in the collection “{quoted(name)}”")
        if topic:
            return self._about(topic, draft, scope)
        if draft.scope.pinned:
            return self._selected(draft, "" if draft.scope == scope else "of the answer before")
        if recent := _recent(history):
            papers = self.catalog.papers.get(recent[:_OF_CHOICE])
            return _Chosen(tuple(papers), len(recent), "of the answer before", _CERTAIN)
        if draft.filters or draft.scope != EVERYTHING:
            return self._selected(draft, "that match")
        return _Chosen((), 0, "", Decision(0.0, Strength.NONE, _NO_PAPERS))

    def _collection(self, topic: str, message: str) -> str | None:
        """Return the collection that the message names as its topic, or behind that word; the longest name counts."""
        names = sorted(self.catalog.collections.names(), key=len, reverse=True)
        named = (
            name
            for name in names
            if name.casefold() == topic.casefold() or contains_phrase(message, f"collection {name}")
        )
        return next(named, None)

    def _selected(self, draft: Answer, which: str) -> _Chosen:
        """Return the papers that filters and scope let through, newest first; pinned ones in their order."""
        ids = self.catalog.papers.allowed_ids(draft.filters, draft.scope) or frozenset()
        papers = self.catalog.papers.first_of(ids, Sort.YEAR, limit=_OF_CHOICE)
        order = {paper_id: place for place, paper_id in enumerate(draft.scope.pinned)}
        papers = sorted(papers, key=lambda paper: order.get(paper.id, len(order)))
        decision = _CERTAIN if papers else Decision(0.0, Strength.NONE, "no paper matches")
        return _Chosen(tuple(papers), len(ids), which, decision)

    def _about(self, topic: str, draft: Answer, scope: Scope) -> _Chosen:
        """Return the papers that a search finds for a topic."""
        # This tells topics of the library better than the bare topic or the wording of a list does.
        question = about(topic)
        found = self.find(Query(question, question, draft.filters, scope))
        decision = self.decide(found)
        if decision.strength is Strength.NONE or not found.hits:
            return _Chosen((), 0, "", decision, found.hits)
        papers = tuple(listed_papers(found))[:_OF_TOPIC]
        return _Chosen(papers, len(papers), f"found for “{quoted(topic)}”", decision)


def _finished(draft: Answer, table: Table, which: str) -> Answer:
    """Return the finished answer: the table, and a sentence that cites its papers."""
    papers = [row.paper for row in table.rows]
    hits = [Hit(rank, 1.0, paper) for rank, paper in enumerate(papers, start=1)]
    passages = {number: _passages(row) for number, row in enumerate(table.rows, start=1)}
    numbers = tuple(range(1, len(papers) + 1))
    sentences = (Sentence(_summary(table), numbers, Verdict.REMARK, 1.0),)
    is_written = any(cell.source is CellSource.MODEL for row in table.rows for cell in row.cells)
    return replace(
        draft,
        opening=f"{counted(len(papers))} {which}".strip() + ", compared.",
        text=cited_text(sentences),
        sentences=sentences,
        citations=build_citations(hits, passages),
        table=table,
        model=draft.model if is_written else NAME,
        prompt=None,
        progress="",
        done=True,
    )


def _summary(table: Table) -> str:
    """Return what the table compares, and how much of it the abstracts say."""
    compared = f"By {joined([quoted(name) for name in table.columns])}"
    asked = [cell for row in table.rows for cell in row.cells if cell.source is not CellSource.CATALOG]
    stated = sum(cell.value is not None for cell in asked)
    return f"{compared}: the abstracts say {stated} of {counted(len(asked), 'cell')}." if asked else f"{compared}."


def _passages(row: Row) -> list[Passage]:
    """Return the sentences behind the cells of a row, each once."""
    return list(dict.fromkeys(cell.passage for cell in row.cells if cell.passage))


def _recent(history: Sequence[Turn]) -> list[str]:
    """Return the ids of the papers of the last answer that has any."""
    for turn in reversed(history):
        answer = turn.answer
        rows = answer.table.rows if answer.table else ()
        papers = [*(citation.paper for citation in answer.citations), *(row.paper for row in rows)]
        if papers:
            return list(dict.fromkeys(paper.id for paper in papers))
    return []

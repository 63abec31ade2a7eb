"""An answer as plain values: what the measures read of it, without the papers that it cites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.schema import Answer, Passage, Sentence, Strength, Table, Verdict
from assistant.text import sentences


@dataclass(frozen=True, slots=True)
class CitedPaper:
    """A paper that an answer cites, with the passages behind the citation; the n-th one of an answer has number n."""

    id: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuotationRecord:
    """Where a sentence is quoted from: id and title of the paper, and its 0-based position in the abstract."""

    paper: str
    title: str | None
    position: int


@dataclass(frozen=True, slots=True)
class CheckedSentenceRecord:
    """A sentence of an answer with its citation numbers, its verdict and its support, 0 to 1.

    `quotation` is None if the sentence is not that of an abstract.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    support: float
    quotation: QuotationRecord | None = None


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A row of a table: the id and the title of the paper, and the values of its cells."""

    paper: str
    title: str | None
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class TableRecord:
    """The table of an answer; it is about `total` papers, of which `rows` has the first."""

    columns: tuple[str, ...]
    rows: tuple[RowRecord, ...]
    total: int


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer or an abstention. `tokens_in` and `tokens_out` are None unless a language model wrote it.

    `strategy` is how a language model wrote it, in so many `calls`. `intent` is what the question was taken to ask for,
    `opening` the line above the answer, and `nearest` the ids of the papers that an abstention names.
    """

    strength: Strength
    confidence: float
    reason: str | None
    text: str
    cited: tuple[CitedPaper, ...] = ()
    sentences: tuple[CheckedSentenceRecord, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
    intent: str = ""
    opening: str = ""
    table: TableRecord | None = None
    nearest: tuple[str, ...] = ()
    strategy: str = ""
    calls: int | None = None

    @property
    def answered(self) -> bool:
        """Tell whether it is an answer rather than an abstention."""
        return self.strength is not Strength.NONE


def answer_of(answer: Answer) -> AnswerRecord:
    """Return the record of an answer."""
    return AnswerRecord(
        strength=answer.strength,
        confidence=answer.confidence,
        reason=answer.reason,
        text=answer.text,
        cited=tuple(CitedPaper(citation.paper.id, _texts(citation.passages)) for citation in answer.citations),
        sentences=tuple(_sentence(sentence, answer) for sentence in answer.sentences),
        intent=answer.intent,
        opening=answer.opening,
        table=_table(answer.table) if answer.table else None,
        nearest=tuple(paper.id for paper in answer.nearest),
        strategy=answer.cost.strategy if answer.cost else "",
        calls=answer.cost.calls if answer.cost else None,
    )


def _sentence(sentence: Sentence, answer: Answer) -> CheckedSentenceRecord:
    quotation = _quotation(sentence, answer)
    return CheckedSentenceRecord(sentence.text, sentence.citations, sentence.verdict, sentence.support, quotation)


def _quotation(sentence: Sentence, answer: Answer) -> QuotationRecord | None:
    """Return where the sentence stands in the abstract of a paper that it cites; None if it is in none of them."""
    for citation in answer.citations:
        paper = citation.paper
        if citation.number in sentence.citations and sentence.text and sentence.text in paper.abstract:
            start = paper.abstract.find(sentence.text)
            position = sum(end <= start for _, end in sentences.spans(paper.abstract))
            return QuotationRecord(paper.id, paper.title, position)
    return None


def _table(table: Table) -> TableRecord:
    rows = (RowRecord(row.paper.id, row.paper.title, tuple(cell.value for cell in row.cells)) for row in table.rows)
    return TableRecord(table.columns, tuple(rows), table.total)


def _texts(passages: Sequence[Passage]) -> tuple[str, ...]:
    return tuple(passage.text for passage in passages)

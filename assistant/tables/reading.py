"""Read the abstracts of papers for the columns of a table: which sentence answers the column, and how surely?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.encodings import PairReading
from assistant.logistic import LogisticModel
from assistant.protocols import Embedder, PairReader
from assistant.question.quantity import asks_for_number
from assistant.schema import Cell, CellSource, Paper, Passage
from assistant.tables.columns import Column
from assistant.tables.extraction import ValueForm, extract
from assistant.tables.kinds import (
    PROBES,
    STATED,
    USUAL,
    Kind,
    column_kinds,
    reads_vectors,
    sentence_kinds,
    stated,
)
from assistant.tables.sentence_vectors import sentence_vectors
from assistant.text.function_words import FUNCTION_WORDS
from assistant.text.sentences import passages
from assistant.verification.quantities import quantities

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Sentences of an abstract that are read: longer ones are no abstracts.
_MAX_SENTENCES = 40
# Letters by which words are compared, so that singular and plural agree.
_STEM = 6
_WORD = re.compile(r"\w+")
# The kinds of columns whose value is a number, and a name.
_NUMBERS, _NAMES = (Kind.SIZE, Kind.FIGURE, Kind.MEASURE), (Kind.DATA, Kind.CODE)


# How surely a column has to be of a kind for its own question not to be read, and to be of none for no probe.
_SURELY = 0.95


@dataclass(frozen=True, slots=True)
class CellFeatures:
    """The features of a sentence as the answer to a column.

    `known` is how likely the column is of a kind that sentences are classified by. Weighed by it: `stated`, the
    log-odds that the sentence states what the column asks for, and `lead`, these less those of the best other
    sentence; `usual`, those that an abstract states it; `probe_answers` and `probe_sentence`, what the pair reader says
    of the probe of the likeliest kind; `cover`, the share of the column's words that the sentence has; and
    `numberless`, 1 where a number is asked for that the sentence lacks. Weighed by 1 less that: `other_answers`,
    `other_sentence` and `other_lead`, what it says of the column's own question; `other_cover` and `other_numberless`.
    """

    known: float
    stated: float
    lead: float
    usual: float
    probe_answers: float
    probe_sentence: float
    cover: float
    numberless: float
    other_answers: float
    other_sentence: float
    other_lead: float
    other_cover: float
    other_numberless: float


# Fitted by `python -m eval.training.table_cells`.
CELL = LogisticModel(
    -0.44,
    CellFeatures(
        known=0.85,
        stated=0.63,
        lead=0.07,
        usual=0.12,
        probe_answers=0.09,
        probe_sentence=0.23,
        cover=1.35,
        numberless=-0.35,
        other_answers=0.84,
        other_sentence=0.62,
        other_lead=0.26,
        other_cover=-0.24,
        other_numberless=0.04,
    ),
)
# The probability from which a sentence counts as the answer: the least with at most 3 % wrong cells on the dev tables
# of `eval.suites.tables` (docs/tables.md).
STATED_FROM = 0.7


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """A column with what is computed of it once: the probabilities of its kinds, and whether it asks for a number."""

    column: Column
    kinds: dict[str, float]
    asks_number: bool
    stems: frozenset[str]

    @property
    def known(self) -> float:
        """Return the probability that the column is of a kind that sentences are classified by."""
        return 1.0 - self.kinds[Kind.OTHER]

    @property
    def probe(self) -> Kind:
        """Return the likeliest of those kinds."""
        return max(STATED, key=lambda kind: self.kinds[kind])

    @property
    def form(self) -> ValueForm:
        """Return the form of its values."""
        if self.kinds[Kind.OTHER] > self.kinds[self.probe]:
            return ValueForm.NUMBER if self.asks_number else ValueForm.SENTENCE
        if self.probe in _NUMBERS:
            return ValueForm.NUMBER
        return ValueForm.NAME if self.probe in _NAMES else ValueForm.SENTENCE


@dataclass(frozen=True, slots=True)
class AbstractReading:
    """An abstract as it is read for one column.

    `own` is the reading of the column's question, `probe` that of its likeliest kind, None where it is not needed;
    `stating` are the probabilities that the sentences state what the column asks for.
    """

    sentences: tuple[Passage, ...]
    own: PairReading | None
    probe: PairReading | None
    stating: tuple[float, ...]


def prepare(columns: Sequence[Column], embedder: Embedder) -> list[AskedColumn]:
    """Return columns with what is computed of them once. Raises ModelError."""
    kinds = column_kinds([column.name for column in columns], embedder) if columns else []
    return [
        AskedColumn(column, of_column, asks_for_number(column.question), frozenset(_stems(column.name)))
        for column, of_column in zip(columns, kinds, strict=True)
    ]


def read_cells(
    papers: Sequence[Paper],
    columns: Sequence[AskedColumn],
    reader: PairReader,
    embedder: Embedder,
    least: float | None = None,
) -> Iterator[list[Cell]]:
    """Yield the cells of each paper, one for each column. Raises ModelError.

    A cell says nothing below the confidence `least`, by default STATED_FROM. An abstract is encoded once for all
    columns; pairs are read together, which takes less time, and what columns share of an abstract is read once.
    """
    sentences = [passages(paper.abstract)[:_MAX_SENTENCES] for paper in papers]
    queries = list(dict.fromkeys(query for asked in columns for query in queries_of(asked)))
    pairs = [
        (query, _text(paper, of_paper))
        for paper, of_paper in zip(papers, sentences, strict=True)
        if of_paper
        for query in queries
    ]
    readings, kinds = reader.read(pairs), iter(_kinds(papers, sentences, embedder))
    for of_paper in sentences:
        if not of_paper:
            yield [Cell(None, source=CellSource.ABSTRACT) for _ in columns]
            continue
        by_query, of_sentences = {query: next(readings) for query in queries}, next(kinds)
        yield [_cell(asked, _of_column(asked, of_paper, by_query, of_sentences), least) for asked in columns]


def features(asked: AskedColumn, read: AbstractReading) -> list[CellFeatures]:
    """Return the features of each sentence."""
    count, known, other = len(read.sentences), asked.known, 1.0 - asked.known
    own, probe = _scores(read.own, count), _scores(read.probe, count)
    stating, usual = list(map(logistic.log_odds, read.stating)), logistic.log_odds(_usual(asked))
    covers = [_share(asked.stems, passage.text) for passage in read.sentences]
    is_number = asked.form is ValueForm.NUMBER
    numberless = [float(is_number and not quantities(passage.text)) for passage in read.sentences]
    return [
        CellFeatures(
            known=known,
            stated=known * stating[number],
            lead=known * _lead(stating, number),
            usual=known * usual,
            probe_answers=known * _answers(read.probe),
            probe_sentence=known * probe[number],
            cover=known * covers[number],
            numberless=known * numberless[number],
            other_answers=other * _answers(read.own),
            other_sentence=other * own[number],
            other_lead=other * _lead(own, number),
            other_cover=other * covers[number],
            other_numberless=other * numberless[number],
        )
        for number in range(count)
    ]


def queries_of(asked: AskedColumn) -> Iterator[str]:
    """Yield what the pair reader is asked for a column: its own question, the probe of its likeliest kind, or both."""
    if asked.known < _SURELY:
        yield asked.column.question
    if asked.known > 1.0 - _SURELY:
        yield PROBES[asked.probe]


def _kinds(papers: Sequence[Paper], sentences: Sequence[tuple[Passage, ...]], embedder: Embedder) -> Iterator[Vectors]:
    """Yield what the sentences of each abstract that has any state."""
    texts = [
        (paper.title or "", [passage.text for passage in of_paper])
        for paper, of_paper in zip(papers, sentences, strict=True)
        if of_paper
    ]
    vectors = sentence_vectors(texts, embedder) if reads_vectors(embedder) else [None] * len(texts)
    return (sentence_kinds(of_paper, vector) for (_, of_paper), vector in zip(texts, vectors, strict=True))


def _of_column(
    asked: AskedColumn, sentences: tuple[Passage, ...], readings: Mapping[str, PairReading], kinds: Vectors
) -> AbstractReading:
    queries = list(queries_of(asked))
    own = readings[asked.column.question] if asked.column.question in queries else None
    probe = readings[PROBES[asked.probe]] if PROBES[asked.probe] in queries else None
    return AbstractReading(sentences, own, probe, tuple(stated(asked.kinds, kinds)))


def _scores(reading: PairReading | None, count: int) -> list[float]:
    """Return the log-odds that each of the last `count` sentences answers; 0 without a reading."""
    return list(map(logistic.log_odds, reading.answering[-count:])) if reading else [0.0] * count


def _answers(reading: PairReading | None) -> float:
    return logistic.log_odds(reading.answers) if reading else 0.0


def _usual(asked: AskedColumn) -> float:
    """Return the share of abstracts that state what a column asks for, as far as its kind is known."""
    return sum(asked.kinds[kind] * USUAL[kind] for kind in STATED) / max(asked.known, 1e-9)


def _lead(scores: Sequence[float], number: int) -> float:
    """Return a score less the best of the others."""
    return scores[number] - max((*scores[:number], *scores[number + 1 :]), default=0.0)


def _cell(asked: AskedColumn, read: AbstractReading, least: float | None) -> Cell:
    """Return the cell with the likeliest sentence; one that says nothing where no sentence is likely enough."""
    probabilities = [CELL.probability(row) for row in features(asked, read)]
    best = max(range(len(read.sentences)), key=probabilities.__getitem__)
    confidence, passage = round(probabilities[best], 4), read.sentences[best]
    if confidence < (STATED_FROM if least is None else least):
        return Cell(None, None, round(1.0 - confidence, 4), CellSource.ABSTRACT)
    return Cell(extract(passage.text, asked.form), passage, confidence, CellSource.ABSTRACT)


def _text(paper: Paper, sentences: Sequence[Passage]) -> list[str]:
    """Return what is read of a paper: its title, if it has one, and its sentences."""
    texts = [passage.text for passage in sentences]
    return [paper.title, *texts] if paper.title else texts


def _stems(text: str) -> Iterator[str]:
    return (word[:_STEM] for word in _WORD.findall(text.casefold()) if word not in FUNCTION_WORDS)


def _share(stems: frozenset[str], sentence: str) -> float:
    return len(stems.intersection(_stems(sentence))) / len(stems) if stems else 0.0

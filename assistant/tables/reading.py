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
from assistant.tables.kinds import PROBES, STATED, USUAL, Kind, column_kinds, sentence_kinds, stated
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


@dataclass(frozen=True, slots=True)
class CellFeatures:
    """The features of a sentence as the answer to a column.

    `known` is how likely the column is of a kind that sentences are classified by. Weighed by it: `stated`, the
    log-odds that the sentence states what the column asks for; `usual`, those that an abstract does; `probe_answers`,
    `probe_sentence` and `probe_margin`, what the pair reader says of the probe of the likeliest kind. Weighed by 1 less
    that: `other_answers`, `other_sentence`, what it says of the column's own question. `answers`, `sentence` and
    `margin` are the same for every column: the log-odds that the abstract answers, that the sentence does, and the
    latter less those of the best other sentence. `cover` is the share of the column's words that the sentence has,
    `numberless` is 1 where a number is asked for that the sentence lacks.
    """

    known: float
    stated: float
    usual: float
    probe_answers: float
    probe_sentence: float
    probe_margin: float
    answers: float
    sentence: float
    margin: float
    other_answers: float
    other_sentence: float
    cover: float
    numberless: float


# Fitted by `python -m eval.training.table_cells`.
CELL = LogisticModel(
    -0.96,
    CellFeatures(
        known=1.97,
        stated=0.54,
        usual=0.13,
        probe_answers=-0.03,
        probe_sentence=0.12,
        probe_margin=0.01,
        answers=0.29,
        sentence=0.24,
        margin=0.05,
        other_answers=0.30,
        other_sentence=0.51,
        cover=0.28,
        numberless=-0.33,
    ),
)
# The probability from which a sentence counts as the answer: on the dev tables of `eval.suites.tables`, nine of ten
# cells that are filled are then right, and 3 % of all cells are wrong (docs/tables.md).
STATED_FROM = 0.75


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

    `own` is the reading of the column's question, `probe` that of its likeliest kind, and `stating` are the
    probabilities that the sentences state what the column asks for.
    """

    sentences: tuple[Passage, ...]
    own: PairReading
    probe: PairReading
    stating: tuple[float, ...]


def prepare(columns: Sequence[Column], embedder: Embedder) -> list[AskedColumn]:
    """Return columns with what is computed of them once. Raises ModelError."""
    kinds = column_kinds([column.name for column in columns], embedder) if columns else []
    return [
        AskedColumn(column, of_column, asks_for_number(column.question), frozenset(_stems(column.name)))
        for column, of_column in zip(columns, kinds, strict=True)
    ]


def read_cells(
    papers: Sequence[Paper], columns: Sequence[AskedColumn], reader: PairReader, least: float | None = None
) -> Iterator[list[Cell]]:
    """Yield the cells of each paper, one for each column. Raises ModelError.

    A cell says nothing below the confidence `least`, by default STATED_FROM. All pairs are read together, which takes
    less time, and what columns share of an abstract is read once.
    """
    sentences = [passages(paper.abstract)[:_MAX_SENTENCES] for paper in papers]
    queries = list(dict.fromkeys(query for asked in columns for query in _queries(asked)))
    pairs = [
        (query, _text(paper, of_paper))
        for paper, of_paper in zip(papers, sentences, strict=True)
        if of_paper
        for query in queries
    ]
    readings = reader.read(pairs)
    for of_paper in sentences:
        if not of_paper:
            yield [Cell(None, source=CellSource.ABSTRACT) for _ in columns]
            continue
        by_query = {query: next(readings) for query in queries}
        kinds = sentence_kinds([passage.text for passage in of_paper])
        yield [_cell(asked, _of_column(asked, of_paper, by_query, kinds), least) for asked in columns]


def features(asked: AskedColumn, read: AbstractReading) -> list[CellFeatures]:
    """Return the features of each sentence."""
    count, known = len(read.sentences), asked.known
    own = [logistic.log_odds(score) for score in read.own.answering[-count:]]
    probe = [logistic.log_odds(score) for score in read.probe.answering[-count:]]
    answers, usual = logistic.log_odds(read.own.answers), logistic.log_odds(_usual(asked))
    is_number = asked.form is ValueForm.NUMBER
    return [
        CellFeatures(
            known=known,
            stated=known * logistic.log_odds(read.stating[number]),
            usual=known * usual,
            probe_answers=known * logistic.log_odds(read.probe.answers),
            probe_sentence=known * probe[number],
            probe_margin=known * _margin(probe, number),
            answers=answers,
            sentence=own[number],
            margin=_margin(own, number),
            other_answers=(1.0 - known) * answers,
            other_sentence=(1.0 - known) * own[number],
            cover=_share(asked.stems, passage.text),
            numberless=float(is_number and not quantities(passage.text)),
        )
        for number, passage in enumerate(read.sentences)
    ]


def _queries(asked: AskedColumn) -> tuple[str, str]:
    """Return what the pair reader is asked for a column: its own question, and the probe of its likeliest kind."""
    return asked.column.question, PROBES[asked.probe]


def _of_column(
    asked: AskedColumn, sentences: tuple[Passage, ...], readings: Mapping[str, PairReading], kinds: Vectors
) -> AbstractReading:
    own, probe = (readings[query] for query in _queries(asked))
    return AbstractReading(sentences, own, probe, tuple(stated(asked.kinds, kinds)))


def _usual(asked: AskedColumn) -> float:
    """Return the share of abstracts that state what a column asks for, as far as its kind is known."""
    return sum(asked.kinds[kind] * USUAL[kind] for kind in STATED) / max(asked.known, 1e-9)


def _margin(scores: Sequence[float], number: int) -> float:
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

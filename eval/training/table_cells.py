"""Fit the weights of `assistant.tables`: `python -m eval.training.table_cells --data DATA`.

`table_columns.jsonl` has columns with their kinds, `table_sentences.jsonl` what the sentences of annotated abstracts
(of the part train) and of single sentences state; both were labelled by reading. The model of cells is fitted on
columns of each kind beside the labelled abstracts, and on the questions and near misses of the annotated abstracts of
the part dev, each question also beside another abstract. Figures are by cross-validation, all rows of an abstract in
one fold; the tables of `eval.suites.tables` take no part.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from assistant import factory
from assistant.encodings import PairReading
from assistant.protocols import Embedder, PairReader
from assistant.question import linear
from assistant.schema import Passage
from assistant.settings import load
from assistant.tables.columns import MAX_LENGTH, parse_column
from assistant.tables.kinds import (
    COLUMN_WEIGHTS,
    PROBES,
    SENTENCE_WEIGHTS,
    STATED,
    WORDS_ALONE_WEIGHTS,
    Kind,
    column_features,
    column_vectors,
    sentence_features,
    stated,
)
from assistant.tables.reading import AbstractReading, AskedColumn, CellFeatures, features, prepare, queries_of
from assistant.tables.sentence_vectors import sentence_vectors
from eval.suites.annotated import read_annotated
from eval.training import command, softmax
from eval.training.examples import read_lines
from eval.training.softmax import Figures

COLUMNS, SENTENCES = Path(__file__).with_name("table_columns.jsonl"), Path(__file__).with_name("table_sentences.jsonl")
_FOLDS, _SEED = 5, 16
_COLUMN_PENALTY, _SENTENCE_C, _CELL_C = 0.3, 0.5, 1.0
# Columns of each kind that an abstract is read with.
_COLUMNS_OF_KIND = 1
# Of so many columns, one is classified as if it were new.
_ONE_HELD_OUT = 4
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class LabelledAbstract:
    """The sentences of an abstract, or a single one, with the kinds that each states; of a question, it is one kind."""

    id: str
    title: str
    sentences: tuple[str, ...]
    kinds: tuple[frozenset[str], ...]

    @property
    def fold(self) -> int:
        """Return the fold, by a hash of the paper."""
        return zlib.crc32(f"table {self.id}".encode()) % _FOLDS


@dataclass(frozen=True, slots=True)
class CellCase:
    """A column beside an abstract: the sentences that answer it, none where it does not, and where it comes from."""

    abstract: LabelledAbstract
    column: str
    answers: frozenset[int]
    origin: str


def main(
    data: Annotated[Path, typer.Option(help="Folder with annotated.jsonl.gz.")],
    dry: Annotated[bool, typer.Option(help="Print the figures only.")] = False,
) -> None:
    """Fit the classifiers of columns and sentences, write their weights, and print the model of cells."""
    rows = read_annotated(data / "annotated.jsonl.gz")
    columns = [(str(row["column"]), Kind(row["kind"])) for row in read_lines(COLUMNS, "column", "kind")]
    abstracts = list(_labelled({row["id"]: row for row in rows}))
    settings = load()
    embedder = factory.open_embedder(settings)
    of_columns, held_out_columns = _fit_columns(columns, embedder)
    vectors = sentence_vectors([(item.title, item.sentences) for item in abstracts], embedder)
    words_alone, _ = _fit_sentences("words alone", abstracts, [None] * len(abstracts))
    of_sentences, held_out_sentences = _fit_sentences("with vectors", abstracts, vectors)
    cases = [*_generic_cases(abstracts, columns), *_specific_cases([row for row in rows if row["part"] == "dev"])]
    if not dry:
        linear.save(of_columns, COLUMN_WEIGHTS)
        linear.save(replace(of_sentences, embedder=embedder.name, revision=embedder.revision), SENTENCE_WEIGHTS)
        linear.save(words_alone, WORDS_ALONE_WEIGHTS)
    reader = factory.open_pair_reader(settings, embedder)
    kinds = held_out_sentences | _kinds_of_others(cases, held_out_sentences, of_sentences, embedder)
    _fit_cells(cases, _asked(cases, held_out_columns, embedder), kinds, reader)


def _labelled(rows: dict[str, Any]) -> Iterator[LabelledAbstract]:
    for line in read_lines(SENTENCES, "paper"):
        if "text" in line:
            yield LabelledAbstract(line["paper"], "", (line["text"],), (frozenset(line["kinds"]),))
        else:
            row = rows[line["paper"]]
            kinds = tuple(map(frozenset, line["sentences"]))
            yield LabelledAbstract(row["id"], row["title"] or "", tuple(row["sentences"]), kinds)


def _fit_columns(
    columns: Sequence[tuple[str, Kind]], embedder: Embedder
) -> tuple[linear.LinearClassifier, dict[str, dict[str, float]]]:
    """Return the classifier of columns, and the probabilities of each by one that has not seen it.

    It learns every column twice, with its vector and without, since another embedder has none that it knows.
    """
    names, kinds = [name for name, _ in columns], tuple(Kind)
    vectors = column_vectors(names, embedder)
    rows = np.array([column_features(name, vector) for name, vector in zip(names, vectors, strict=True)])
    blind = np.array([column_features(name, None) for name in names])
    both, labels = np.concatenate([rows, blind]), [kind for _, kind in columns] * 2
    folds = [zlib.crc32(name.casefold().encode()) % _FOLDS for name in names] * 2
    weights = [0.5] * len(labels)
    probabilities = softmax.cross_validated(both, labels, weights, folds, _COLUMN_PENALTY, kinds)
    right = [kinds[int(row.argmax())] is label for row, label in zip(probabilities, labels, strict=True)]
    count = len(columns)
    typer.echo(
        f"columns: {count}, cross-validated accuracy {np.mean(right[:count]):.3f}, "
        f"without a vector {np.mean(right[count:]):.3f}"
    )
    held_out = {
        name: dict(zip(map(str, kinds), row.tolist(), strict=True))
        for name, row in zip(names, probabilities[:count], strict=True)
    }
    classifier = softmax.fit_labelled(both, labels, weights, _COLUMN_PENALTY, kinds)
    return replace(classifier, embedder=embedder.name, revision=embedder.revision), held_out


def _fit_sentences(
    name: str, abstracts: Sequence[LabelledAbstract], vectors: Sequence[Figures | None]
) -> tuple[linear.LinearClassifier, dict[str, Figures]]:
    """Return the classifier of sentences, and the probabilities for each abstract by one that has not seen it."""
    of_abstracts = zip(abstracts, vectors, strict=True)
    rows = csr_matrix(np.concatenate([sentence_features(item.sentences, vector) for item, vector in of_abstracts]))
    folds = np.array([abstract.fold for abstract in abstracts for _ in abstract.sentences])
    labels = np.array([[kind in kinds for kind in STATED] for item in abstracts for kinds in item.kinds])
    probabilities = np.zeros(labels.shape, np.float32)
    for fold in range(_FOLDS):
        weights, bias = _one_against_rest(rows[folds != fold], labels[folds != fold])
        probabilities[folds == fold] = _sigmoid(rows[folds == fold] @ weights.T + bias)
    _report_sentences(name, abstracts, labels, probabilities)
    ends = np.cumsum([len(abstract.sentences) for abstract in abstracts])
    held_out = {
        abstract.id: probabilities[end - len(abstract.sentences) : end]
        for abstract, end in zip(abstracts, ends, strict=True)
    }
    weights, bias = _one_against_rest(rows, labels)
    return linear.LinearClassifier(tuple(map(str, STATED)), weights, bias, "", ""), held_out


def _report_sentences(
    name: str, abstracts: Sequence[LabelledAbstract], labels: NDArray[np.bool_], probabilities: Figures
) -> None:
    typer.echo(f"sentences, {name}")
    for column, kind in enumerate(STATED):
        precision = average_precision_score(labels[:, column], probabilities[:, column])
        stating = [any(kind in kinds for kinds in item.kinds) for item in abstracts if len(item.kinds) > 1]
        typer.echo(
            f"  {kind:12}{labels[:, column].sum():5} sentences, average precision {precision:.3f}; "
            f"stated by {np.mean(stating):.2f} of the abstracts"
        )


def _kinds_of_others(
    cases: Sequence[CellCase],
    labelled: Collection[str],
    classifier: linear.LinearClassifier,
    embedder: Embedder,
) -> dict[str, Figures]:
    """Return what the sentences of abstracts state that the classifier was not fitted on, as probabilities."""
    others = list({case.abstract.id: case.abstract for case in cases if case.abstract.id not in labelled}.values())
    vectors = sentence_vectors([(item.title, item.sentences) for item in others], embedder)
    return {
        item.id: _sigmoid(sentence_features(item.sentences, vector) @ classifier.weights.T + classifier.bias)
        for item, vector in zip(others, vectors, strict=True)
    }


def _one_against_rest(rows: Any, labels: NDArray[np.bool_]) -> tuple[Figures, Figures]:
    models = [
        LogisticRegression(C=_SENTENCE_C, solver="liblinear", random_state=_SEED).fit(rows, labels[:, k])
        for k in range(labels.shape[1])
    ]
    weights = np.concatenate([model.coef_ for model in models]).astype(np.float32)
    return weights, np.array([model.intercept_[0] for model in models], dtype=np.float32)


def _sigmoid(logits: Figures) -> Figures:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def _generic_cases(abstracts: Sequence[LabelledAbstract], columns: Sequence[tuple[str, Kind]]) -> Iterator[CellCase]:
    """Yield each labelled abstract beside columns of each kind that sentences are classified by."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    for abstract in abstracts:
        if len(abstract.sentences) == 1:
            continue
        for kind in STATED:
            answers = frozenset(number for number, kinds in enumerate(abstract.kinds) if kind in kinds)
            names = [name for name, of_kind in columns if of_kind is kind]
            for name in generator.sample(names, _COLUMNS_OF_KIND):
                yield CellCase(abstract, name, answers, kind)


def _specific_cases(rows: Sequence[dict[str, Any]]) -> Iterator[CellCase]:
    """Yield each abstract beside its questions, its near misses, and the questions of another abstract."""
    shuffled = random.Random(_SEED).sample(rows, len(rows))  # noqa: S311 - no secret
    for row, other in zip(shuffled, shuffled[1:] + shuffled[:1], strict=True):
        abstract = LabelledAbstract(row["id"], row["title"] or "", tuple(row["sentences"]), ())
        for question in row["questions"]:
            yield CellCase(abstract, question["text"], frozenset(question["sentences"]), "question")
        for text in row["near_misses"]:
            yield CellCase(abstract, text, frozenset(), "near miss")
        for question in other["questions"][:2]:
            yield CellCase(abstract, question["text"], frozenset(), "elsewhere")


def _fit_cells(
    cases: Sequence[CellCase], asked: Sequence[AskedColumn], kinds: dict[str, Figures], reader: PairReader
) -> None:
    """Fit the model of cells and print it with its cross-validated figures."""
    rows, labels, numbers = [], [], []
    readings = _readings(cases, asked, reader)
    for number, (item, case) in enumerate(zip(asked, cases, strict=True)):
        passages = tuple(Passage(text, 0, len(text)) for text in case.abstract.sentences)
        own = readings.get((case.abstract.id, item.column.question))
        probe = readings.get((case.abstract.id, PROBES[item.probe]))
        stating = tuple(stated(item.kinds, kinds[case.abstract.id]))
        of_case = features(item, AbstractReading(passages, own, probe, stating))
        rows += [astuple(row) for row in of_case]
        labels += [row in case.answers for row in range(len(of_case))]
        numbers += [number] * len(of_case)
    _report(cases, np.array(rows), np.array(labels), np.array(numbers))


def _readings(
    cases: Sequence[CellCase], asked: Sequence[AskedColumn], reader: PairReader
) -> dict[tuple[str, str], PairReading]:
    """Return the reading of each query that a column needs beside each abstract."""
    needed = {
        (case.abstract.id, query): case for item, case in zip(asked, cases, strict=True) for query in queries_of(item)
    }
    return dict(zip(needed, reader.read([(query, _text(case)) for (_, query), case in needed.items()]), strict=True))


def _text(case: CellCase) -> list[str]:
    """Return what is read of an abstract: its title, if it has one, and its sentences."""
    return [case.abstract.title, *case.abstract.sentences] if case.abstract.title else list(case.abstract.sentences)


def _asked(cases: Sequence[CellCase], columns: dict[str, dict[str, float]], embedder: Embedder) -> list[AskedColumn]:
    """Return the columns of the cases; one in so many has the probabilities of a classifier that has not seen it.

    Most columns of tables have one of the usual names, which the classifier knows.
    """
    prepared = prepare([parse_column(case.column[:MAX_LENGTH]) for case in cases], embedder)
    return [
        replace(item, kinds=columns.get(case.column, item.kinds)) if number % _ONE_HELD_OUT == 0 else item
        for number, (case, item) in enumerate(zip(cases, prepared, strict=True))
    ]


def _report(
    cases: Sequence[CellCase], rows: NDArray[np.float64], labels: NDArray[np.bool_], numbers: NDArray[np.int_]
) -> None:
    folds = np.array([case.abstract.fold for case in cases])[numbers]
    scores = np.zeros(len(rows))
    for fold in range(_FOLDS):
        model = LogisticRegression(C=_CELL_C, max_iter=1000).fit(rows[folds != fold], labels[folds != fold])
        scores[folds == fold] = model.predict_proba(rows[folds == fold])[:, 1]
    for least in _THRESHOLDS:
        typer.echo(f"  cells from {least}: {_measures(cases, scores, labels, numbers, least)}")
    for origin in dict.fromkeys(case.origin for case in cases):
        typer.echo(f"  {origin:12}{_measures(cases, scores, labels, numbers, 0.5, origin)}")
    model = LogisticRegression(C=_CELL_C, max_iter=1000).fit(rows, labels)
    names = [field.name for field in fields(CellFeatures)]
    weights = ", ".join(f"{name}={weight:.2f}" for name, weight in zip(names, model.coef_[0], strict=True))
    typer.echo(f"assistant/tables/reading.py\n  CELL: {model.intercept_[0]:.2f}, {weights}")


def _measures(
    cases: Sequence[CellCase],
    scores: NDArray[np.float64],
    labels: NDArray[np.bool_],
    numbers: NDArray[np.int_],
    least: float,
    origin: str = "",
) -> str:
    """Return precision and recall of cells, and the share of wrong ones, at a threshold."""
    filled = right = answerable = total = 0
    for number, case in enumerate(cases):
        if origin and case.origin != origin:
            continue
        of_case = np.flatnonzero(numbers == number)
        best = of_case[scores[of_case].argmax()]
        total += 1
        answerable += bool(case.answers)
        if scores[best] >= least:
            filled += 1
            right += bool(labels[best])
    wrong = (filled - right) / max(1, total)
    return (
        f"precision {right / max(1, filled):.3f}, recall {right / max(1, answerable):.3f}, wrong of all {wrong:.3f} "
        f"({total} cells, {answerable} stated)"
    )


if __name__ == "__main__":
    command.run(main)

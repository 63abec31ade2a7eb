"""Fit the weights of `assistant.question.quantity`: `python -m eval.training.quantity_questions`.

The questions of `quantity_questions.jsonl` were labelled by reading. Figures are by cross-validation, all questions
about a paper in one fold.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from assistant.errors import InputError
from assistant.question import linear
from assistant.question.form import occurrences
from assistant.question.quantity import BUCKETS, LEAST, WEIGHTS, Sought
from eval.training import command, softmax
from eval.training.examples import read_lines
from eval.training.softmax import Figures

QUESTIONS = Path(__file__).with_suffix(".jsonl")
_FOLDS, _PENALTY = 5, 1.0
_KINDS = tuple(Sought)
_THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8)


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question, what it asks for, and where it comes from: `annotated:<paper>`, `cue:<paper>`, messages, written."""

    text: str
    sought: Sought
    origin: str

    @property
    def source(self) -> str:
        """Return the origin without the paper."""
        return self.origin.partition(":")[0]

    @property
    def fold(self) -> int:
        """Return the fold, by a hash of the paper that the question is about, or else of its text."""
        return zlib.crc32((self.origin.partition(":")[2] or self.text).encode()) % _FOLDS


def main(
    questions: Annotated[Path, typer.Option(help="File of labelled questions.")] = QUESTIONS,
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the classifier, write its weights and print its cross-validated figures."""
    labelled = read_labelled(questions)
    rows = np.array([occurrences(question.text, BUCKETS) for question in labelled])
    typer.echo(report(labelled, _cross_validated(labelled, rows)))
    linear.save(_fit(labelled, rows), out)


def read_labelled(file: Path) -> list[LabelledQuestion]:
    """Read the labelled questions. Raises InputError, which names file and line."""
    lines = enumerate(read_lines(file, "question", "asks", "origin"), start=1)
    return [_labelled(row, file, number) for number, row in lines]


def _labelled(row: dict[str, Any], file: Path, number: int) -> LabelledQuestion:
    try:
        return LabelledQuestion(str(row["question"]), Sought(row["asks"]), str(row["origin"]))
    except ValueError as error:
        raise InputError(str(file), f"`asks` has to be one of {', '.join(Sought)}", number) from error


def report(questions: Sequence[LabelledQuestion], probabilities: NDArray[np.floating]) -> str:
    """Return precision and recall by threshold and by source, and the errors at the threshold in use."""
    asked = np.array([question.sought is Sought.NUMBER for question in questions])
    sources = np.array([question.source for question in questions])
    at_random = np.isin(sources, ("annotated", "messages"))
    lines = [f"{len(questions)} questions, {asked.sum()} of them for a number"]
    for least in _THRESHOLDS:
        taken = probabilities >= least
        lines.append(f"  from {least}: all {_measures(asked, taken)}")
        lines.append(f"            drawn at random {_measures(asked[at_random], taken[at_random])}")
    taken = probabilities >= LEAST
    for source in dict.fromkeys(sources.tolist()):
        of_source = sources == source
        lines.append(f"  {source} from {LEAST}: {_measures(asked[of_source], taken[of_source])}")
    wrong = np.flatnonzero(asked != taken)
    lines += [f"    {questions[row].sought}: {questions[row].text[:120]}" for row in wrong.tolist()]
    return "\n".join(lines)


def _measures(asked: NDArray[np.bool_], taken: NDArray[np.bool_]) -> str:
    right = int((asked & taken).sum())
    precision, recall = right / max(1, int(taken.sum())), right / max(1, int(asked.sum()))
    return f"precision {precision:.3f} ({taken.sum()} taken), recall {recall:.3f} (of {asked.sum()} of {len(asked)})"


def _fit(questions: Sequence[LabelledQuestion], rows: Figures) -> linear.LinearClassifier:
    labels = [question.sought for question in questions]
    return softmax.fit_labelled(rows, labels, [1.0] * len(labels), _PENALTY, _KINDS)


def _cross_validated(questions: Sequence[LabelledQuestion], rows: Figures) -> Figures:
    """Return the probability that each question asks for a number, of a classifier that has not seen its fold."""
    labels, folds = [question.sought for question in questions], [question.fold for question in questions]
    probabilities = softmax.cross_validated(rows, labels, [1.0] * len(labels), folds, _PENALTY, _KINDS)
    column: Figures = probabilities[:, _KINDS.index(Sought.NUMBER)]
    return column


if __name__ == "__main__":
    command.run(main)

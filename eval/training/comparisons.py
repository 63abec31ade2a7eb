"""Fit the weights of `assistant.question.side_tagger`: `python -m eval.training.comparisons --data DATA`.

The questions and the character offsets of their sides are `comparisons.jsonl`; questions without sides compare nothing.
The rule for other embedders, which the figures stand beside, takes its idf from the annotated training abstracts.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from assistant import factory
from assistant.errors import InputError
from assistant.protocols import Embedder
from assistant.question import linear, side_tagger, terms
from assistant.question.joining_words import joined_spans
from assistant.question.sides import WEIGHTS
from assistant.schema import Paper
from assistant.settings import Settings
from assistant.storage.lexicon import TantivyLexicon
from eval.training import chain, command
from eval.training.examples import read_annotated, read_lines
from eval.training.softmax import Figures

COMPARISONS = Path(__file__).parent / "comparisons.jsonl"
_FOLDS, _PENALTY = 5, 1.0

Sides = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ComparedQuestion:
    """A question, the character offsets of its two sides, if it has any, and where it comes from."""

    text: str
    sides: Sides | None
    origin: str

    @property
    def fold(self) -> int:
        """Return the number of the fold of cross-validation that holds the question out."""
        return zlib.crc32(self.text.encode()) % _FOLDS


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the tagger, write its weights and print its figures beside those of the rule."""
    questions = read(COMPARISONS)
    embedder = factory.open_embedder(Settings(engine="float32"))
    rows = features(questions, embedder)
    typer.echo(report("rule", questions, by_rule(questions, data)))
    typer.echo(report("tagger, cross-validated", questions, cross_validated(questions, rows)))
    linear.save(replace(fit(questions, rows), embedder=embedder.name, revision=embedder.revision), out)


def read(file: Path) -> list[ComparedQuestion]:
    """Return the labelled questions. Raises InputError, which names file and line."""
    lines = enumerate(read_lines(file, "question", "first", "second", "origin"), start=1)
    return [_question(row, file, number) for number, row in lines]


def _question(row: Mapping[str, Any], file: Path, number: int) -> ComparedQuestion:
    text, first, second = row["question"], row["first"], row["second"]
    if first is None and second is None:
        return ComparedQuestion(text, None, row["origin"])
    words = side_tagger.word_spans(text)
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    for name, span in (("first", first), ("second", second)):
        if not (isinstance(span, list) and len(span) == 2 and span[0] in starts and span[1] in ends):
            raise InputError(str(file), f"`{name}` has to be the start and the end of a run of words", number)
    if not first[0] < first[1] < second[0] < second[1]:
        raise InputError(str(file), "the first side has to come before the second", number)
    return ComparedQuestion(text, (tuple(first), tuple(second)), row["origin"])


def features(questions: Sequence[ComparedQuestion], embedder: Embedder) -> list[Figures]:
    """Return the features of the words of each question. Raises ModelError."""
    encoded = embedder.encode_queries([question.text for question in questions])
    return [
        side_tagger.word_features(question.text, side_tagger.word_spans(question.text), text)
        for question, text in zip(questions, encoded, strict=True)
    ]


def gold_tags(question: ComparedQuestion) -> list[int]:
    """Return the tag of each word of a question."""
    return [_tag(start, end, question.sides) for start, end in side_tagger.word_spans(question.text)]


def _tag(start: int, end: int, sides: Sides | None) -> int:
    if sides is None or end <= sides[0][0]:
        return side_tagger.BEFORE
    if end <= sides[0][1]:
        return side_tagger.FIRST if start == sides[0][0] else side_tagger.FIRST_CONTINUED
    if end <= sides[1][0]:
        return side_tagger.BETWEEN
    if end <= sides[1][1]:
        return side_tagger.SECOND if start == sides[1][0] else side_tagger.SECOND_CONTINUED
    return side_tagger.AFTER


def fit(questions: Sequence[ComparedQuestion], rows: Sequence[Figures]) -> linear.LinearClassifier:
    """Return the tagger fitted on these questions, with the features of their words."""
    return chain.fit(rows, [gold_tags(question) for question in questions], _PENALTY)


def cross_validated(questions: Sequence[ComparedQuestion], rows: Sequence[Figures]) -> list[Sides | None]:
    """Return the sides of each question by a fit without its fold."""
    predicted: list[Sides | None] = [None] * len(questions)
    for fold in range(_FOLDS):
        learned = [index for index, question in enumerate(questions) if question.fold != fold]
        tagger = fit([questions[index] for index in learned], [rows[index] for index in learned])
        for index, question in enumerate(questions):
            if question.fold == fold:
                tags = side_tagger.best_tags(rows[index] @ tagger.weights.T + tagger.bias)
                predicted[index] = side_tagger.spans_of(tags, side_tagger.word_spans(question.text))
    return predicted


def by_rule(questions: Sequence[ComparedQuestion], data: Path) -> list[Sides | None]:
    """Return the sides of each question by the word that joins them, over the annotated training abstracts."""
    with tempfile.TemporaryDirectory() as folder:
        lexicon = TantivyLexicon(Path(folder))
        lexicon.replace(list(_papers(data)))
        return [joined_spans(question.text, terms.analyze(question.text, lexicon).content) for question in questions]


def _papers(data: Path) -> Iterator[Paper]:
    for abstract in read_annotated(data):
        if abstract.part == "train":
            yield Paper(id=abstract.id, title=abstract.title, abstract=" ".join(abstract.sentences))


def report(name: str, questions: Sequence[ComparedQuestion], predicted: Sequence[Sides | None]) -> str:
    """Return the share of questions with both sides exact and the F1 of their words, by origin, and false sides."""
    exact: dict[str, list[bool]] = {}
    overlaps: dict[str, list[float]] = {}
    false: list[bool] = []
    for question, sides in zip(questions, predicted, strict=True):
        if question.sides is None:
            false.append(sides is not None)
            continue
        for group in (question.origin, "all"):
            exact.setdefault(group, []).append(sides == question.sides)
            overlaps.setdefault(group, []).append(_word_f1(question, sides))
    groups = [
        f"  {group}, {len(exact[group])}: exact {np.mean(exact[group]):.3f}, F1 of words {np.mean(overlaps[group]):.3f}"
        for group in sorted(exact)
    ]
    return "\n".join([f"{name}:", *groups, f"  no comparison, {len(false)}: taken for one {np.mean(false):.3f}"])


def _word_f1(question: ComparedQuestion, sides: Sides | None) -> float:
    """Return the mean over both sides of the F1 of the words that are predicted for it."""
    if question.sides is None or sides is None:
        return 0.0
    words = side_tagger.word_spans(question.text)
    scores = []
    for gold, predicted in zip(question.sides, sides, strict=True):
        expected = {word for word in words if gold[0] <= word[0] and word[1] <= gold[1]}
        chosen = {word for word in words if predicted[0] <= word[0] and word[1] <= predicted[1]}
        scores.append(2 * len(expected & chosen) / (len(expected) + len(chosen)))
    return float(np.mean(scores))


if __name__ == "__main__":
    command.run(main)

"""Fit the logistic models of `assistant.disagreement.sides`: `python -m eval.training.calibrate_sides --data DATA`.

Claims of the annotated dev abstracts, which the pair reader was not trained on, are read beside their abstract, and
their inversions too. Figures are on the test part.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.disagreement.sides import side_features
from assistant.protocols import PairReader
from assistant.question import linear
from assistant.question.inversion import invert
from assistant.settings import Settings
from eval.training import command, softmax
from eval.training.examples import AnnotatedAbstract, read_annotated
from eval.training.softmax import Figures

_PENALTY, _ABSTRACTS = 0.1, 60
# The labels of a claim; the side that is fitted against the others is the first of the pair.
_SIDES = {"supports": "supported", "contradicts": "contradicted"}


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    limit: Annotated[int, typer.Option(min=1, help="Abstracts of each part that are read.")] = _ABSTRACTS,
) -> None:
    """Fit both models and print their weights, and their figures on claims that they were not fitted on."""
    settings = Settings(engine="float32")
    reader = factory.open_pair_reader(settings, factory.open_embedder(settings))
    papers = read_annotated(data)
    fitted, labels = _rows(papers, "dev", limit, reader)
    held_out, held_labels = _rows(papers, "test", limit, reader)
    for name, label in _SIDES.items():
        classifier = _fit(fitted, [gold == label for gold in labels])
        weights, bias = classifier.weights[0] - classifier.weights[1], classifier.bias[0] - classifier.bias[1]
        shown = f"LogisticModel({bias:.2f}, SideFeatures(supported={weights[0]:.2f}, contradicted={weights[1]:.2f}))"
        typer.echo(f"{name.upper()} = {shown}")
        gold = np.array([gold == label for gold in held_labels])
        typer.echo(_reliability(softmax.predict(classifier, held_out)[:, 0], gold))


def _rows(papers: Sequence[AnnotatedAbstract], part: str, limit: int, reader: PairReader) -> tuple[Figures, list[str]]:
    of_part = [paper for paper in papers if paper.part == part][:limit]
    claims = [(claim, paper) for paper in of_part for claim in paper.claims]
    texts = [[paper.title, *paper.sentences] if paper.title else list(paper.sentences) for _, paper in claims]
    pairs = zip(claims, texts, strict=True)
    statements = [(text, words) for (claim, _), words in pairs for text in (claim["text"], invert(claim["text"]))]
    readings = list(reader.read(statements))
    features = [side_features(*both) for both in zip(readings[::2], readings[1::2], strict=True)]
    rows = np.array([[row.supported, row.contradicted] for row in features], dtype=np.float32)
    return rows, [str(claim["label"]) for claim, _ in claims]


def _fit(rows: Figures, is_side: Sequence[bool]) -> linear.LinearClassifier:
    labels = ["yes" if value else "no" for value in is_side]
    return softmax.fit_labelled(rows, labels, [1.0] * len(labels), _PENALTY, ("yes", "no"))


def _reliability(probabilities: Figures, gold: Figures) -> str:
    """Return how often the claims of each range of probabilities really take the side."""
    lines = []
    for low in (0.0, 0.25, 0.5, 0.75, 0.9):
        high = {0.75: 0.9, 0.9: 1.01}.get(low, low + 0.25)
        members = (probabilities >= low) & (probabilities < high)
        if members.any():
            lines.append(f"  {low:.2f} to {min(high, 1.0):.2f}: {gold[members].mean():.2f} of {members.sum()}")
    return "\n".join(lines)


if __name__ == "__main__":
    command.run(main)

"""Fit the weights of `assistant.digest.standalone` and `boilerplate`: `python -m eval.training.standalone`.

The sentences of abstracts, labelled by hand (`standalone.jsonl`); figures are by cross-validation, all sentences of an
abstract in one fold.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.digest import boilerplate
from assistant.digest.boilerplate import boilerplate_features
from assistant.digest.sentence_features import sentence_features
from assistant.digest.standalone import LEAD_WEIGHTS, WEIGHTS, Role, lead_features
from assistant.question import linear
from eval.training import command, softmax
from eval.training.softmax import Figures

LABELS = Path(__file__).parent / "standalone.jsonl"
_FOLDS, _PENALTY, _LEAD_PENALTY, _BOILERPLATE_PENALTY = 5, 3.0, 0.3, 1.0
_ROLES = tuple(Role)
_LEAD_LABELS = ("lead", "content")


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence of an abstract: its role, and the position of the sentence that it leans on, if it does.

    `lead` is the opening that only connects it with the text before it.
    """

    text: str
    position: int
    role: Role
    leans_on: int
    lead: str
    paper: str
    title: str


def main(
    out: Annotated[Path, typer.Option(help="File of the roles; the others stand beside it.")] = WEIGHTS,
) -> None:
    """Fit the three classifiers, write their weights and print their figures."""
    sentences = list(read_labelled())
    leaning = [sentence for sentence in sentences if sentence.role is Role.LEANS]
    before = np.mean([sentence.leans_on == sentence.position - 1 for sentence in leaning])
    typer.echo(f"of {len(leaning)} sentences that lean, {before:.3f} lean on the one before")
    _fit_leads(sentences, out.with_name(LEAD_WEIGHTS.name))
    _fit_boilerplate(sentences, out.with_name(boilerplate.WEIGHTS.name))
    # The lead is cut off as it is labelled: by the classifier, some leads would be known from its own training.
    rows = np.array([sentence_features(item.text[len(item.lead) :], item.position, item.title) for item in sentences])
    roles, papers = [sentence.role for sentence in sentences], [sentence.paper for sentence in sentences]
    probabilities = _cross_validated(rows, roles, papers, _PENALTY, _ROLES)
    typer.echo(report("roles", _ROLES, roles, probabilities))
    typer.echo(_by_threshold(roles, probabilities))
    linear.save(softmax.fit_labelled(rows, roles, [1.0] * len(rows), _PENALTY, _ROLES), out)


def _by_threshold(roles: Sequence[Role], probabilities: Figures) -> str:
    """Return for several thresholds which share of what is taken to stand alone does, and of what does is kept."""
    alone = np.array([role is Role.ALONE for role in roles])
    lines = [f"quotable alone from which probability (base {alone.mean():.3f}):"]
    for threshold in (0.5, 0.6, 0.7, 0.8, 0.9):
        taken = probabilities[:, _ROLES.index(Role.ALONE)] >= threshold
        lines.append(f"  {threshold}: right {alone[taken].mean():.3f}, kept {taken[alone].mean():.3f}")
    return "\n".join(lines)


def read_labelled(file: Path = LABELS) -> Iterator[LabelledSentence]:
    """Yield the labelled sentences, in the order of the file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        abstract = json.loads(line)
        for position, sentence in enumerate(abstract["sentences"]):
            yield LabelledSentence(
                text=sentence["text"],
                position=position,
                role=_role(sentence),
                leans_on=sentence["leans"],
                lead=sentence["lead"],
                paper=abstract["id"],
                title=abstract["title"] or "",
            )


def _role(sentence: dict[str, object]) -> Role:
    if sentence["boilerplate"]:
        return Role.BOILERPLATE
    return Role.ALONE if sentence["leans"] == -1 else Role.LEANS


def _fit_leads(sentences: Sequence[LabelledSentence], out: Path) -> None:
    """Fit the classifier of openings: those up to the first comma of a sentence."""
    with_opening = [
        (sentence, opening)
        for sentence in sentences
        if (opening := sentence.text[:60].partition(", ")[0]) and ", " in sentence.text[:60]
    ]
    rows = np.array([lead_features(opening) for _, opening in with_opening])
    labels = ["lead" if sentence.lead == f"{opening}, " else "content" for sentence, opening in with_opening]
    papers = [sentence.paper for sentence, _ in with_opening]
    typer.echo(
        report("openings", _LEAD_LABELS, labels, _cross_validated(rows, labels, papers, _LEAD_PENALTY, _LEAD_LABELS))
    )
    others = sum(bool(sentence.lead) for sentence in sentences) - labels.count("lead")
    typer.echo(f"openings that no comma ends, which are not recognized: {others}")
    linear.save(softmax.fit_labelled(rows, labels, [1.0] * len(rows), _LEAD_PENALTY, _LEAD_LABELS), out)


def _fit_boilerplate(sentences: Sequence[LabelledSentence], out: Path) -> None:
    """Fit the classifier of boilerplate."""
    rows = np.array([boilerplate_features(sentence.text) for sentence in sentences])
    kind, other = boilerplate.LABELS
    labels = [kind if sentence.role is Role.BOILERPLATE else other for sentence in sentences]
    papers = [sentence.paper for sentence in sentences]
    probabilities = _cross_validated(rows, labels, papers, _BOILERPLATE_PENALTY, boilerplate.LABELS)[:, 0]
    is_kind = np.array([label == kind for label in labels])
    typer.echo(f"boilerplate, {is_kind.sum()} of {len(labels)}, precision and recall from which probability:")
    for threshold in (0.1, 0.15, 0.2, 0.3, 0.5):
        taken = probabilities >= threshold
        typer.echo(f"  {threshold}: {is_kind[taken].mean():.3f}, {taken[is_kind].mean():.3f}")
    linear.save(softmax.fit_labelled(rows, labels, [1.0] * len(rows), _BOILERPLATE_PENALTY, boilerplate.LABELS), out)


def _cross_validated(
    rows: Figures, labels: Sequence[str], papers: Sequence[str], penalty: float, kinds: Sequence[str]
) -> Figures:
    """Return the probabilities of each example, shape (examples, kinds), by a classifier fitted on other papers."""
    folds = [zlib.crc32(paper.encode()) % _FOLDS for paper in papers]
    return softmax.cross_validated(rows, labels, [1.0] * len(rows), folds, penalty, kinds)


def report(name: str, kinds: Sequence[str], labels: Sequence[str], probabilities: Figures) -> str:
    """Return precision and recall of each kind, and the accuracy."""
    chosen = [kinds[column] for column in probabilities.argmax(axis=1)]
    right = Counter(label for label, kind in zip(labels, chosen, strict=True) if label == kind)
    accuracy = sum(right.values()) / max(1, len(labels))
    lines = [f"{name}, {len(labels)} cross-validated: accuracy {accuracy:.3f}"]
    for kind in kinds:
        precision, recall = (right[kind] / max(1, list(values).count(kind)) for values in (chosen, labels))
        lines.append(f"  {kind}: {list(labels).count(kind)}, precision {precision:.3f}, recall {recall:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    command.run(main)

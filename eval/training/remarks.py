"""Fit the weights of `assistant.verification.remarks`: `python -m eval.training.remarks --data DIR`.

Statements are the claims and sentences of the annotated abstracts; denials and remarks are templates of our own, filled
with topics and statements. Figures are by cross-validation, all sentences of a template or an abstract in one fold.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant.question import linear
from assistant.question.form import form
from assistant.verification.remarks import LEAST, WEIGHTS, SentenceKind
from eval.training import command, softmax
from eval.training.examples import AnnotatedAbstract, continued, read_annotated
from eval.training.phrasings import topics
from eval.training.softmax import Figures

TEMPLATES = Path(__file__).parent / "remarks.toml"
_SEED, _FOLDS, _PENALTY = 20261126, 5, 0.003
# Sentences made of a template with a slot.
_OF_TEMPLATE = 6
# How much a template counts, and a statement of the abstracts. To take a claim for a remark is the worse mistake.
_WEIGHTS = {SentenceKind.CLAIM: 2.0, SentenceKind.DENIAL: 1.0, SentenceKind.REMARK: 1.0}
_STATEMENT = 0.05
# Claims and sentences taken of each abstract.
_OF_ABSTRACT = 3
_KINDS = tuple(SentenceKind)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, its kind, the template or abstract that it comes of, and how much it counts."""

    text: str
    kind: SentenceKind
    origin: str
    importance: float


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the classifier, write its weights and print its figures."""
    papers = read_annotated(data)
    sentences = [*from_templates(papers), *_statements(papers, "train")]
    rows = _rows(sentences)
    typer.echo(report("cross-validated", sentences, _cross_validated(sentences, rows)))
    linear.save(_fit(sentences, rows), out)
    for part in ("dev", "test"):
        held_out = list(_statements(papers, part))
        typer.echo(report(f"statements of {part}", held_out, softmax.predict(linear.load(out), _rows(held_out))))


def from_templates(papers: Sequence[AnnotatedAbstract]) -> list[Sentence]:
    """Return the templates, filled with topics and with statements of the training part."""
    templates = tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))
    statements = [claim["text"] for paper in papers if paper.part == "train" for claim in paper.claims]
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    return [
        Sentence(_filled(template, templates, statements, random), SentenceKind(kind), template, share)
        for kind, texts in templates.items()
        for template in texts
        for share in _shares(template, _WEIGHTS[SentenceKind(kind)])
    ]


def _shares(template: str, weight: float) -> list[float]:
    """Return the weight of each sentence that is made of a template."""
    count = _OF_TEMPLATE if "{" in template else 1
    return [weight / count] * count


def _filled(template: str, templates: dict[str, list[str]], statements: list[str], random: Random) -> str:
    first, second = random.sample(topics(), 2)
    opening = random.choice(templates["remark"]).rstrip(".!:")
    denial = random.choice(templates["denial"])
    statement = random.choice(statements)
    text = template.replace("{denial_open}", denial.rstrip(".")).replace("{denial}", denial)
    text = text.replace("{remark_open}", opening).replace("{c}", continued(statement))
    return text.replace("{t}", first).replace("{u}", second).replace("{n}", str(random.randint(2, 98)))


def _statements(papers: Sequence[AnnotatedAbstract], part: str) -> Iterator[Sentence]:
    """Yield some claims and sentences of the abstracts of a part."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    for paper in papers:
        if paper.part == part:
            claims = [claim["text"] for claim in paper.claims]
            texts = [*random.sample(claims, min(_OF_ABSTRACT, len(claims))), *paper.sentences[:_OF_ABSTRACT]]
            yield from (Sentence(text, SentenceKind.CLAIM, paper.id, _STATEMENT) for text in texts)


def report(name: str, sentences: Sequence[Sentence], probabilities: Figures) -> str:
    """Return for each kind how many of its sentences are taken for each kind, where doubt means a claim."""
    chosen = probabilities.argmax(axis=1)
    chosen[probabilities.max(axis=1) < LEAST] = _KINDS.index(SentenceKind.CLAIM)
    lines = [f"{name}:"]
    for label in _KINDS:
        of_kind = np.array([sentence.kind is label for sentence in sentences])
        if of_kind.any():
            taken = ", ".join(f"{other} {np.mean(chosen[of_kind] == n):.3f}" for n, other in enumerate(_KINDS))
            lines.append(f"  {of_kind.sum()} of {label} taken for {taken}")
            wrong = np.flatnonzero(of_kind & (chosen != _KINDS.index(label)))
            lines += [f"    {sentences[row].text[:150]}" for row in wrong[:15]]
    return "\n".join(lines)


def _rows(sentences: Sequence[Sentence]) -> Figures:
    return np.array([form(sentence.text) for sentence in sentences])


def _fit(sentences: Sequence[Sentence], rows: Figures) -> linear.LinearClassifier:
    labels, importance = [sentence.kind for sentence in sentences], [sentence.importance for sentence in sentences]
    return softmax.fit_labelled(rows, labels, importance, _PENALTY, _KINDS)


def _cross_validated(sentences: Sequence[Sentence], rows: Figures) -> Figures:
    labels, importance = [sentence.kind for sentence in sentences], [sentence.importance for sentence in sentences]
    folds = [zlib.crc32(sentence.origin.encode()) % _FOLDS for sentence in sentences]
    return softmax.cross_validated(rows, labels, importance, folds, _PENALTY, _KINDS)


if __name__ == "__main__":
    command.run(main)

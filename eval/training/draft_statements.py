"""Fit the weights of `assistant.drafts.statements`: `python -m eval.training.draft_statements --data DATA`.

Statements are the claims and sentences of the annotated abstracts; sentences that state nothing are templates of our
own, filled with topics. Figures are by cross-validation, all sentences of a template or an abstract in one fold.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant.drafts.statements import LEAST, NOTHING, STATEMENT, WEIGHTS
from assistant.question import linear
from assistant.question.form import form
from eval.training import command, softmax
from eval.training.examples import AnnotatedAbstract, read_annotated
from eval.training.phrasings import topics
from eval.training.softmax import Figures

TEMPLATES = Path(__file__).parent / "draft_statements.toml"
_SEED, _FOLDS, _PENALTY = 20261127, 5, 0.003
# Sentences made of a template with a slot, claims and sentences taken of each abstract, and how much one counts.
_OF_TEMPLATE, _OF_ABSTRACT, _IMPORTANCE = 3, 3, 0.05
_KINDS = (STATEMENT, NOTHING)

# A sentence, its kind, the template or abstract that it comes of, and how much it counts.
Example = tuple[str, str, str, float]


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the classifier, write its weights and print its figures."""
    papers = read_annotated(data)
    examples = [*templates(), *statements(papers, "train")]
    rows, (texts, labels, origins, importance) = _rows(examples), zip(*examples, strict=True)
    folds = [zlib.crc32(origin.encode()) % _FOLDS for origin in origins]
    probabilities = softmax.cross_validated(rows, labels, importance, folds, _PENALTY, _KINDS)
    typer.echo(report("cross-validated", texts, labels, probabilities))
    linear.save(softmax.fit_labelled(rows, labels, importance, _PENALTY, _KINDS), out)
    for part in ("dev", "test"):
        held_out = list(statements(papers, part))
        probabilities = softmax.predict(linear.load(out), _rows(held_out))
        typer.echo(report(part, [item[0] for item in held_out], [item[1] for item in held_out], probabilities))


def templates() -> list[Example]:
    """Return the templates, filled with topics."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    written = tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))
    return [
        (_filled(template, random), kind, template, 1.0 / count)
        for kind in _KINDS
        for template in written[kind]
        for count in (_OF_TEMPLATE if "{" in template else 1,)
        for _ in range(count)
    ]


def statements(papers: Sequence[AnnotatedAbstract], part: str) -> Iterator[Example]:
    """Yield some claims and sentences of the abstracts of a part."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    for paper in papers:
        if paper.part == part:
            claims = [claim["text"] for claim in paper.claims]
            texts = [*random.sample(claims, min(_OF_ABSTRACT, len(claims))), *paper.sentences[1 : _OF_ABSTRACT + 1]]
            yield from ((text, STATEMENT, paper.id, _IMPORTANCE) for text in texts)


def report(name: str, texts: Sequence[str], labels: Sequence[str], probabilities: Figures) -> str:
    """Return how many sentences of each kind are taken for ones that state nothing, with some that are wrong."""
    taken = probabilities[:, _KINDS.index(NOTHING)] >= LEAST
    lines = [f"{name}:"]
    for kind in _KINDS:
        of_kind = np.array([label == kind for label in labels])
        if of_kind.any():
            wrong = np.flatnonzero(of_kind & (taken != (kind == NOTHING)))
            lines.append(f"  {of_kind.sum()} of {kind}: {taken[of_kind].mean():.3f} taken for {NOTHING}")
            lines += [f"    {texts[row][:150]}" for row in wrong[:12]]
    return "\n".join(lines)


def _filled(template: str, random: Random) -> str:
    first, second = random.sample(topics(), 2)
    filled = template.replace("{t}", first).replace("{u}", second).replace("{n}", str(random.randint(2, 9)))
    return filled[:1].upper() + filled[1:]


def _rows(examples: Sequence[Example]) -> Figures:
    return np.array([form(example[0]) for example in examples])


if __name__ == "__main__":
    command.run(main)

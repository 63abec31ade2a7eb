"""Fit the weights of `assistant.verification.support` on claims that the pair reader was not trained on.

These are the claims of the annotated dev abstracts, the same joined by two, the dev claims about the seeds, and
contrasting claims about further abstracts. The labels of a set have equal weight; the smaller sets count less. Accuracy
and areas are by five-fold cross-validation, a paper in one fold.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from assistant.protocols import PairReader
from assistant.schema import Paper
from assistant.settings import Settings
from assistant.verification.comparison import ClaimPair, ClaimReader, SupportFeatures
from assistant.verification.support import SUPPORT, SUPPORTED_FROM, WRITTEN_SUPPORTED_FROM
from eval.corpora import over_seeds
from eval.suites import SEEDS, load_claims
from eval.training import command
from eval.training.examples import (
    CONTRADICTED,
    NOT_STATED,
    SUPPORTED,
    AnnotatedAbstract,
    Example,
    claims_of,
    contrasts,
    join,
    read_annotated,
    read_lines,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOLDS = 5
_WRITTEN = Path(__file__).parent / "true_sentences.jsonl"
# How much a set counts: the annotated claims, the joined ones, the few about the seeds, and the contrasting ones. With
# more weight on the joined ones, claims of one statement that only look joined are judged worse.
_SET_WEIGHTS = (1.0, 0.06, 0.3, 0.5)
_JOINTS = (", and ", ", while ", ", but ", "; ")


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim beside its paper; `stratum` names the label and the wording."""

    text: str
    paper: Paper
    label: int
    stratum: str


def annotated_claims(data: Path, part: str) -> list[LabelledClaim]:
    """Return the claims about the annotated abstracts of a part."""
    papers = _papers(data, part)
    return [_labelled(claim, paper) for paper in papers for claim in claims_of(paper)]


def joined_claims(data: Path, part: str) -> list[LabelledClaim]:
    """Return the claims about the annotated abstracts of a part, joined by two of the same abstract."""
    joints, claims = itertools.cycle(_JOINTS), ((paper, list(claims_of(paper))) for paper in _papers(data, part))
    return [
        _labelled(join(first, second, next(joints)), paper)
        for paper, of_paper in claims
        for first, second in zip(of_paper[::2], of_paper[1::2], strict=False)
    ]


def contrast_claims() -> list[LabelledClaim]:
    """Return the dev claims of pairs that differ in little."""
    return [_labelled(claim, paper) for paper in contrasts("dev") for claim in claims_of(paper)]


def written_sentences(data: Path, part: str) -> list[LabelledClaim]:
    """Return true sentences as a capable language model answers questions about the abstracts of a part."""
    papers = {paper.id: paper for paper in _papers(data, part)}
    return [
        _labelled(Example(sentence["text"], (), SUPPORTED, group="supported written"), papers[row["id"]])
        for row in read_lines(_WRITTEN, "id", "sentences")
        if row["id"] in papers
        for sentence in row["sentences"]
    ]


def _marked(part: str, features: Sequence[SupportFeatures]) -> str:
    """Return how many true sentences would be marked, by the weights and the thresholds of the package."""
    support = np.array([SUPPORT.probability(row) for row in features])
    thresholds = (WRITTEN_SUPPORTED_FROM, SUPPORTED_FROM)
    shares = ", ".join(f"{np.mean(support < threshold):.3f} below {threshold}" for threshold in thresholds)
    lowest = np.quantile(support, 0.04)
    return f"{len(support)} true sentences of a model, {part}: support {shares}, 0.04 below {lowest:.2f}"


def _papers(data: Path, part: str) -> list[AnnotatedAbstract]:
    return [paper for paper in read_annotated(data) if paper.part == part]


def _labelled(claim: Example, paper: AnnotatedAbstract) -> LabelledClaim:
    beside = Paper(paper.id, " ".join(paper.sentences), paper.title or None)
    return LabelledClaim(claim.query, beside, int(claim.support or 0), claim.group)


def seed_claims(settings: Settings, split: str) -> list[LabelledClaim]:
    """Return the claims about the seeds; a false one counts as contradicted."""
    papers = over_seeds(settings).library.catalog.papers
    return list(_with_papers(load_claims(SEEDS / "claims.jsonl", split), papers))


def _with_papers(claims: Sequence[Any], papers: Any) -> Iterator[LabelledClaim]:
    for claim in claims:
        paper = papers.find(claim.paper)
        label = SUPPORTED if claim.supported else CONTRADICTED
        yield LabelledClaim(claim.text, paper, label, claim.group)


def read_features(claims: Sequence[LabelledClaim], reader: PairReader) -> list[SupportFeatures]:
    """Return the features of each claim beside its paper."""
    pairs = [ClaimPair(claim.text, claim.paper) for claim in claims]
    comparing = ClaimReader(reader)
    comparing.read(pairs)
    return [comparing.compare(pair).features for pair in pairs]


def fit(sets: Sequence[tuple[Sequence[LabelledClaim], Sequence[SupportFeatures]]]) -> str:
    """Return the fitted weights as the module spells them, with cross-validated figures by set."""
    claims = [claim for of_set, _ in sets for claim in of_set]
    rows = np.array([astuple(row) for _, of_set in sets for row in of_set])
    labels = np.array([claim.label for claim in claims])
    weights = np.concatenate(
        [
            share * _equal_weights([claim.label for claim in of_set])
            for (of_set, _), share in zip(sets, _SET_WEIGHTS, strict=False)
        ]
    )
    _, groups = np.unique([claim.paper.id for claim in claims], return_inverse=True)
    lines = []
    for name, target in (("SUPPORT", labels == SUPPORTED), ("CONTRADICTION", labels == CONTRADICTED)):
        model = LogisticRegression(C=1.0, max_iter=1000)
        scores = cross_val_predict(
            model,
            rows,
            target,
            groups=groups,
            cv=GroupKFold(_FOLDS),
            params={"sample_weight": weights},
            method="predict_proba",
        )[:, 1]
        model.fit(rows, target, sample_weight=weights)
        lines += [*_spelled(name, model), *_figures(sets, claims, scores, target)]
    return "\n".join(lines)


def _equal_weights(labels: Sequence[int]) -> NDArray[np.float64]:
    counts = {label: labels.count(label) for label in (CONTRADICTED, NOT_STATED, SUPPORTED)}
    return np.array([1000.0 / counts[label] for label in labels])


def _spelled(name: str, model: Any) -> list[str]:
    values = zip(fields(SupportFeatures), model.coef_[0], strict=True)
    weights = ", ".join(f"{field.name}={value:.2f}" for field, value in values)
    return [f"{name} = LogisticModel({model.intercept_[0]:.2f}, SupportFeatures({weights}))"]


def _figures(
    sets: Sequence[tuple[Sequence[LabelledClaim], Any]],
    claims: Sequence[LabelledClaim],
    scores: NDArray[np.float64],
    target: NDArray[np.bool_],
) -> Iterator[str]:
    start = 0
    for of_set, _ in sets:
        rows = slice(start, start + len(of_set))
        accuracy = float(np.mean((scores[rows] >= 0.5) == target[rows]))
        yield f"  {len(of_set)} claims: accuracy {accuracy:.3f}, area {roc_auc_score(target[rows], scores[rows]):.3f}"
        start += len(of_set)


def main(data: Annotated[Path, typer.Argument(help="The folder of the data, with judge/ in it.")]) -> None:
    """Fit and print."""
    from assistant import factory
    from assistant.settings import load

    settings = load()
    reader = factory.open_pair_reader(settings, factory.open_embedder(settings))
    sets = [annotated_claims(data, "dev"), joined_claims(data, "dev"), seed_claims(settings, "dev"), contrast_claims()]
    typer.echo(fit([(claims, read_features(claims, reader)) for claims in sets]))
    for part in ("dev", "test"):
        typer.echo(_marked(part, read_features(written_sentences(data, part), reader)))


if __name__ == "__main__":
    command.run(main)

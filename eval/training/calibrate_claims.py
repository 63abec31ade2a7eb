"""Fit the weights of `assistant.verification.support` on the dev claims about the seeds and, if present, SciFact.

Claims perturbed by rule (`eval.training.perturb`) are added to those that people made false. Every weight is 0 or
less. Accuracy on the dev claims is by five-fold cross-validation, with a claim and its variants in one fold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from scipy.optimize import minimize

from assistant.chat import Assistant
from assistant.settings import Settings
from assistant.verification.support import SupportFeatures, SupportModel, features
from eval.corpora import DATA, SCIFACT, over_papers, over_seeds
from eval.suites import SEEDS, beir, load_claims
from eval.training.perturb import perturbations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_FOLDS = 5
_SHRINK = 0.001
# The weight of claims perturbed by rule, relative to those of people.
_PERTURBED_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Example:
    """A claim about a paper; `kind` is the kind of error, `origin` the number of the claim that it is a variant of."""

    claim: str
    paper: str
    supported: bool
    kind: str
    origin: int
    perturbed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Examples and their features, shape (examples, features)."""

    examples: tuple[Example, ...]
    rows: Numbers

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Return whether each example is supported."""
        return np.array([example.supported for example in self.examples])


def calibrate_claims(settings: Settings) -> str:
    """Fit the weights; return them as the module spells them, and the accuracy on the dev claims by kind."""
    seeds = _training_set(over_seeds(settings), _seed_examples())
    scifact = _scifact(settings)
    weights, bias = fit([seeds, *scifact])
    values = ", ".join(
        f"{field.name}={value:.2f}" for field, value in zip(fields(SupportFeatures), weights, strict=True)
    )
    lines = [f"WEIGHTS = SupportFeatures({values})", f"BIAS = {bias:.2f}", "dev claims, cross-validated:"]
    return "\n".join([*lines, *(f"  {kind:12} {value:.3f}" for kind, value in _accuracy(seeds, scifact).items())])


def fit(training_sets: Sequence[TrainingSet]) -> tuple[Numbers, float]:
    """Fit weights (features,) of 0 or less and a bias by penalised maximum likelihood; each set has equal weight."""
    rows = np.vstack([training_set.rows for training_set in training_sets])
    labels = np.concatenate([training_set.labels for training_set in training_sets])
    example_weights = np.concatenate([_example_weights(training_set) for training_set in training_sets])
    example_weights /= np.where(labels, example_weights[labels].sum(), example_weights[~labels].sum()) * 2
    scale = np.sqrt((rows**2).mean(axis=0)) + 1e-9
    loss = partial(_loss, rows / scale, np.where(labels, 1.0, -1.0), example_weights)
    bounds = [(None, 0.0)] * rows.shape[1] + [(None, None)]
    parameters = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return parameters[:-1] / scale, float(parameters[-1])


def _loss(rows: Numbers, label_signs: Numbers, example_weights: Numbers, parameters: Numbers) -> tuple[float, Numbers]:
    """Return the penalised logistic loss and its gradient; the last parameter is the bias, labels are 1 and -1."""
    margins = label_signs * (rows @ parameters[:-1] + parameters[-1])
    slopes = -label_signs * example_weights / (1 + np.exp(margins))
    penalty = np.append(2 * _SHRINK * parameters[:-1], 0.0)
    value = float(example_weights @ np.logaddexp(0, -margins) + _SHRINK * (parameters[:-1] ** 2).sum())
    return value, np.append(rows.T @ slopes, slopes.sum()) + penalty


def _example_weights(training_set: TrainingSet) -> Numbers:
    """Weight the examples so that both labels have equal weight, and so has each kind of false claim."""
    keys = [(example.supported, example.perturbed, example.kind) for example in training_set.examples]
    shares = {key: (_PERTURBED_WEIGHT if key[1] else 1.0) / keys.count(key) for key in set(keys)}
    weights = np.array([shares[key] for key in keys])
    weights[~training_set.labels] /= weights[~training_set.labels].sum()
    return weights


def _accuracy(seeds: TrainingSet, others: Sequence[TrainingSet]) -> dict[str, float]:
    """Return the accuracy on the unperturbed claims about the seeds by kind, cross-validated."""
    correct: dict[str, list[bool]] = {"all": []}
    origins = np.array([example.origin for example in seeds.examples])
    order = np.random.default_rng(0).permutation(origins.max() + 1)
    for fold in range(_FOLDS):
        held_out = np.isin(origins, order[fold::_FOLDS])
        weights, bias = fit([_subset(seeds, ~held_out), *others])
        for row in np.flatnonzero(held_out):
            example = seeds.examples[row]
            if not example.perturbed:
                predicted = bool(seeds.rows[row] @ weights + bias > 0)
                correct["all"].append(predicted == example.supported)
                correct.setdefault(example.kind, []).append(predicted == example.supported)
    return {kind: float(np.mean(values)) for kind, values in correct.items()}


def _subset(training_set: TrainingSet, chosen: NDArray[np.bool_]) -> TrainingSet:
    examples = tuple(example for example, keep in zip(training_set.examples, chosen, strict=True) if keep)
    return TrainingSet(examples, training_set.rows[chosen])


def _seed_examples() -> list[Example]:
    claims = load_claims(SEEDS / "claims.jsonl", "dev")
    examples = [
        Example(claim.text, claim.paper, claim.supported, claim.group, number) for number, claim in enumerate(claims)
    ]
    return [*examples, *_perturbed(examples)]


def _perturbed(examples: Sequence[Example]) -> Iterator[Example]:
    """Yield false versions of the supported claims."""
    random, texts = Random(0), [example.claim for example in examples]  # noqa: S311 - reproducible, not secret
    for example in examples:
        if example.supported:
            for kind, text in perturbations(example.claim, texts, random).items():
                yield Example(text, example.paper, False, kind, example.origin, perturbed=True)


def _scifact(settings: Settings) -> list[TrainingSet]:
    """Return SciFact's claims of the train split with the papers that they cite, if the collection is present."""
    folder = DATA / SCIFACT
    if not folder.is_dir():
        return []
    examples = _scifact_examples(folder)
    cited = {example.paper for example in examples}
    papers = [paper for paper in beir.read(folder, "train").papers if paper.id in cited]
    return [_training_set(over_papers("scifact-cited", papers, settings), examples)]


def _scifact_examples(folder: Path) -> list[Example]:
    labels = {}
    for line in (folder / "evidence.tsv").read_text(encoding="utf-8").splitlines():
        claim_id, paper, label, _ = line.split("\t")
        labels[claim_id, paper] = label
    claims = map(json.loads, (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines())
    examples: list[Example] = []
    for claim in claims:
        for paper in claim["cited_doc_ids"] if claim["split"] == "train" else ():
            label = labels.get((claim["id"], paper), "NOT_ENOUGH_INFO")
            examples.append(Example(claim["text"], paper, label == "SUPPORT", label, len(examples)))
    return [*examples, *_perturbed(examples)]


def _training_set(assistant: Assistant, examples: Sequence[Example]) -> TrainingSet:
    """Compute the features of the examples that can be compared with their paper."""
    model = SupportModel(assistant.library.embedder, assistant.library.lexicon)
    progress = track(examples, "Comparing claims", transient=True)
    pairs = [(example, _features(assistant, model, example)) for example in progress]
    comparable = [(example, astuple(row)) for example, row in pairs if row is not None]
    return TrainingSet(tuple(example for example, _ in comparable), np.array([row for _, row in comparable]))


def _features(assistant: Assistant, model: SupportModel, example: Example) -> SupportFeatures | None:
    paper = assistant.library.catalog.papers.find(example.paper)
    rivals = [rival.abstract for rival in assistant.rivals(example.claim, paper)]
    model.encode([example.claim, paper.abstract, *rivals])
    alignment = model.align(example.claim, paper)
    return features(model.find_mismatches(alignment, paper, rivals)) if alignment else None

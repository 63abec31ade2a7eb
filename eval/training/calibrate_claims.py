"""Fit the weights of `assistant.verification.support` on the dev claims about the seeds and, where present, SciFact.

Claims made wrong by rule (`eval.training.perturb`) stand beside those that people made wrong. A weight may only speak
against a claim. Accuracy on the dev claims is by five-fold cross-validation, a claim and its variants in one fold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track
from scipy.optimize import minimize

from assistant.chat import Assistant
from assistant.settings import Settings
from assistant.verification.support import SupportFeatures, SupportModel, features
from eval.corpora import over_papers, over_seeds
from eval.suites import SEEDS, beir, load_claims
from eval.training.perturb import wrong

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

# A folder with a sub-folder `scifact`; nothing of it is part of paperchat.
DATA = Path(os.environ.get("EVAL_DATA", "data"))
_FOLDS = 5
_SHRINK = 0.001
# What claims made wrong by rule count beside those of people.
_MADE = 0.25


@dataclass(frozen=True, slots=True)
class Example:
    """A claim about a paper; `kind` says how it is wrong, `origin` is its number among those of its source."""

    claim: str
    paper: str
    supported: bool
    kind: str
    origin: int
    made: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The signs of examples, a row each, with what is true of them and what each counts."""

    examples: tuple[Example, ...]
    rows: Numbers

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Whether each is supported."""
        return np.array([each.supported for each in self.examples])


def calibrate_claims(settings: Settings) -> str:
    """The fitted weights, as they stand in the module, and the accuracy on the dev claims by kind."""
    seeds = _table(over_seeds(settings), _seed_examples())
    scifact = _scifact(settings)
    weights, bias = fit([seeds, *scifact])
    named = ", ".join(
        f"{field.name}={value:.2f}" for field, value in zip(fields(SupportFeatures), weights, strict=True)
    )
    lines = [f"WEIGHTS = SupportFeatures({named})", f"BIAS = {bias:.2f}", "dev claims, cross-validated:"]
    return "\n".join([*lines, *(f"  {kind:12} {value:.3f}" for kind, value in _by_kind(seeds, scifact).items())])


def fit(tables: Sequence[Table]) -> tuple[Numbers, float]:
    """Weights (signs,) of 0 or less and the bias, by penalised maximum likelihood; each source counts the same."""
    rows, truth = np.vstack([table.rows for table in tables]), np.concatenate([table.truth for table in tables])
    counts = np.concatenate([_counts(table) for table in tables])
    counts /= np.where(truth, counts[truth].sum(), counts[~truth].sum()) * 2
    scale = np.sqrt((rows**2).mean(axis=0)) + 1e-9
    scaled, side = rows / scale, np.where(truth, 1.0, -1.0)

    def loss(parameters: Numbers) -> tuple[float, Numbers]:
        margins = side * (scaled @ parameters[:-1] + parameters[-1])
        slopes = -side * counts / (1 + np.exp(margins))
        penalty = np.append(2 * _SHRINK * parameters[:-1], 0.0)
        value = float(counts @ np.logaddexp(0, -margins) + _SHRINK * (parameters[:-1] ** 2).sum())
        return value, np.append(scaled.T @ slopes, slopes.sum()) + penalty

    bounds = [(None, 0.0)] * rows.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:-1] / scale, float(found[-1])


def _counts(table: Table) -> Numbers:
    """What each example counts: supported and unsupported ones the same in all, and so each kind of wrong ones."""
    keys = [(each.supported, each.made, each.kind) for each in table.examples]
    shares = {key: (_MADE if key[1] else 1.0) / keys.count(key) for key in set(keys)}
    counts = np.array([shares[key] for key in keys])
    counts[~table.truth] /= counts[~table.truth].sum()
    return counts


def _by_kind(seeds: Table, others: Sequence[Table]) -> dict[str, float]:
    """Accuracy on the seeds' claims as they were written, each by weights that were fitted without it."""
    right: dict[str, list[bool]] = {"all": []}
    places = np.array([each.origin for each in seeds.examples])
    order = np.random.default_rng(0).permutation(places.max() + 1)
    for fold in range(_FOLDS):
        held = np.isin(places, order[fold::_FOLDS])
        weights, bias = fit([_some(seeds, ~held), *others])
        for place in np.flatnonzero(held):
            example = seeds.examples[place]
            if not example.made:
                judged = bool(seeds.rows[place] @ weights + bias > 0)
                right["all"].append(judged == example.supported)
                right.setdefault(example.kind, []).append(judged == example.supported)
    return {kind: float(np.mean(values)) for kind, values in right.items()}


def _some(table: Table, chosen: NDArray[np.bool_]) -> Table:
    kept = tuple(each for each, keep in zip(table.examples, chosen, strict=True) if keep)
    return Table(kept, table.rows[chosen])


def _seed_examples() -> list[Example]:
    claims = load_claims(SEEDS / "claims.jsonl", "dev")
    own = [Example(each.text, each.paper, each.supported, each.group, at) for at, each in enumerate(claims)]
    return [*own, *_made(own)]


def _made(own: Sequence[Example]) -> Iterator[Example]:
    """Supported claims, made wrong by rule."""
    random, texts = Random(0), [each.claim for each in own]  # noqa: S311 - the same ones every time
    for each in own:
        if each.supported:
            for kind, text in wrong(each.claim, texts, random).items():
                yield Example(text, each.paper, False, kind, each.origin, made=True)


def _scifact(settings: Settings) -> list[Table]:
    """SciFact's claims of the train split with the papers that they cite, where it is at hand."""
    folder = DATA / "scifact"
    if not folder.is_dir():
        return []
    examples = _scifact_examples(folder)
    cited = {each.paper for each in examples}
    papers = [paper for paper in beir.read(folder, "train").papers if paper.id in cited]
    return [_table(over_papers("scifact-cited", papers, settings), examples)]


def _scifact_examples(folder: Path) -> list[Example]:
    supports = {}
    for line in (folder / "evidence.tsv").read_text(encoding="utf-8").splitlines():
        claim, paper, label, _ = line.split("\t")
        supports[claim, paper] = label
    claims = map(json.loads, (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines())
    own: list[Example] = []
    for claim in claims:
        for paper in claim["cited_doc_ids"] if claim["split"] == "train" else ():
            label = supports.get((claim["id"], paper), "NOT_ENOUGH_INFO")
            own.append(Example(claim["text"], paper, label == "SUPPORT", label, len(own)))
    return [*own, *_made(own)]


def _table(assistant: Assistant, examples: Sequence[Example]) -> Table:
    """The signs of the examples that can be compared with their paper."""
    judge = SupportModel(assistant.library.embedder, assistant.library.lexicon)
    shown = track(examples, "Comparing claims", transient=True)
    found = [(each, _signs(assistant, judge, each)) for each in shown]
    kept = [(each, row) for each, row in found if row is not None]
    return Table(tuple(each for each, _ in kept), np.array([astuple(row) for _, row in kept]))


def _signs(assistant: Assistant, judge: SupportModel, example: Example) -> SupportFeatures | None:
    paper = assistant.library.catalog.papers.find(example.paper)
    rivals = [each.abstract for each in assistant.rivals(example.claim, paper)]
    judge.encode([example.claim, paper.abstract, *rivals])
    alignment = judge.align(example.claim, paper.abstract)
    return features(judge.find_mismatches(alignment, paper, rivals)) if alignment else None

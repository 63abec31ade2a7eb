"""Fit the weights of `assistant.drafts.citable`: `python -m eval.training.draft_citations`.

The examples are of the dev paragraphs of `eval/suites/drafts`: for the papers to cite, those that a search finds for
the sentences, none of which is to cite for a faulty one; for the papers that are cited, the true and the faulty
sentences beside their papers, and the true ones beside another paper of the paragraph. Figures are by cross-validation,
a paragraph in one fold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from assistant.chat import Assistant
from assistant.drafts import citable
from assistant.drafts.checking import THRESHOLDS
from assistant.schema import Hit, Query
from assistant.settings import load
from assistant.verification.comparison import ClaimPair
from assistant.verification.support import SupportModel
from eval.measures.drafts import open_library
from eval.suites.drafts import RelatedWork, load_paragraphs
from eval.training import command
from ingest.drafts import COMPARED

_SEARCHED, _FOLDS, _PENALTY = 5, 5, 0.1
# How much a planted fault counts beside the papers that are found for true sentences: drafts have fewer than the suite.
_FAULT_WEIGHT = 0.25
# The share of true sentences whose citation may be called wrong.
_FALSE_ALARMS = 0.04
_TRUE, _WRONG = "true", "wrong citation"


@dataclass(frozen=True, slots=True)
class CitedExample:
    """A sentence beside a paper: its features, its kind (true, a fault, or another paper's), and its paragraph."""

    features: citable.CitableFeatures
    kind: str
    paragraph: str


def main() -> None:
    """Print the weights of both models, what they find, and the threshold of citations."""
    assistant = open_library(load())
    with closing(assistant.library):
        paragraphs = load_paragraphs("dev")
        found = [example for paragraph in paragraphs for example in found_papers(paragraph, assistant)]
        cited = [example for paragraph in paragraphs for example in cited_papers(paragraph, assistant)]
    typer.echo(f"CITABLE: {report_found(found)}")
    typer.echo(f"CITED: {report_cited(cited)}")


def found_papers(paragraph: RelatedWork, assistant: Assistant) -> Iterator[CitedExample]:
    """Yield the papers found for each sentence: the one that it is about, of its kind, and others."""
    for statement in paragraph.statements:
        for kind, text in [(_TRUE, statement.text), *((fault.kind, fault.text) for fault in statement.faults)]:
            hits = _search(text, assistant, _SEARCHED)
            for hit, support in zip(hits, _supports(text, hits, assistant), strict=True):
                of_paper = kind if hit.paper.id == statement.paper else _WRONG
                yield CitedExample(citable.features(support, hit.score), of_paper, paragraph.id)


def cited_papers(paragraph: RelatedWork, assistant: Assistant) -> Iterator[CitedExample]:
    """Yield the sentences with their paper, with faults, and with another paper of the paragraph."""
    cited = paragraph.cited
    for statement in paragraph.statements:
        if statement.paper is None:
            continue
        other = cited[(cited.index(statement.paper) + 1) % len(cited)]
        texts = [(_TRUE, statement.text, statement.paper), (_WRONG, statement.text, other)]
        texts += [(fault.kind, fault.text, statement.paper) for fault in statement.faults]
        for kind, text, key in texts:
            hits = [hit for hit in _search(text, assistant, COMPARED) if hit.score >= THRESHOLDS.read]
            relevance = next((hit.score for hit in hits if hit.paper.id == key), 0.0)
            (paper,) = assistant.library.catalog.papers.get([key])
            (support,) = _supports(text, [Hit(1, relevance, paper)], assistant)
            yield CitedExample(citable.features(support, relevance), kind, paragraph.id)


def report_found(examples: Sequence[CitedExample]) -> str:
    """Return the weights, and what is above the threshold of each kind."""
    weights, probabilities, _ = _fit(examples, _FAULT_WEIGHT)
    return f"{weights}; from {THRESHOLDS.citable} on: {_shares(examples, probabilities >= THRESHOLDS.citable)}"


def report_cited(examples: Sequence[CitedExample]) -> str:
    """Return the weights, the threshold for the share of false alarms, and what is below it of each kind."""
    weights, probabilities, is_true = _fit(examples, 1.0)
    threshold = float(np.quantile(probabilities[is_true], _FALSE_ALARMS))
    return f"{weights}; below {threshold:.3f}: {_shares(examples, probabilities < threshold)}"


def _shares(examples: Sequence[CitedExample], chosen: NDArray[np.bool_]) -> str:
    kinds = np.array([example.kind for example in examples])
    return ", ".join(f"{kind} {chosen[kinds == kind].mean():.3f}" for kind in np.unique(kinds))


def _fit(examples: Sequence[CitedExample], fault_weight: float) -> tuple[str, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the weights as words, the cross-validated probabilities, and which examples are true."""
    rows = np.array([astuple(example.features) for example in examples])
    is_true, groups = np.array([example.kind == _TRUE for example in examples]), [item.paragraph for item in examples]
    importance = np.array([1.0 if example.kind in (_TRUE, _WRONG) else fault_weight for example in examples])
    model, folds = LogisticRegression(C=1 / _PENALTY), list(GroupKFold(_FOLDS).split(rows, is_true, groups))
    params = {"sample_weight": importance}
    probabilities = cross_val_predict(model, rows, is_true, cv=folds, method="predict_proba", params=params)[:, 1]
    model.fit(rows, is_true, sample_weight=importance)
    weights = ", ".join(f"{weight:.2f}" for weight in model.coef_[0])
    return f"bias {model.intercept_[0]:.2f}, support and relevance {weights}", probabilities, is_true


def _search(text: str, assistant: Assistant, top_k: int) -> Sequence[Hit]:
    return assistant.find(Query(text, text), assistant.library.fresh(), top_k=top_k).hits


def _supports(text: str, hits: Sequence[Hit], assistant: Assistant) -> list[float]:
    model = SupportModel(assistant.reader, assistant.library.fresh().lexicon)
    model.read(ClaimPair(text, hit.paper) for hit in hits)
    return [model.assess(text, hit.paper).support for hit in hits]


if __name__ == "__main__":
    command.run(main)

"""Fit the weights of `assistant.drafts.citable`: `python -m eval.training.draft_citations`.

The examples are the papers that a search finds for the true sentences of the dev paragraphs of `eval/suites/drafts`:
is it the paper that the sentence is about? Precision and recall are by cross-validation, a paragraph in one fold.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import astuple

import numpy as np
import typer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from assistant.drafts import citable
from assistant.drafts.checking import THRESHOLDS
from assistant.schema import Query
from assistant.settings import load
from assistant.verification.comparison import ClaimPair
from assistant.verification.support import SupportModel
from eval.measures.drafts import open_library
from eval.suites.drafts import load_paragraphs
from eval.training import command

_COMPARED, _FOLDS, _PENALTY = 5, 5, 0.1

# Features, whether the sentence is about the paper, and the paragraph.
Example = tuple[citable.CitableFeatures, bool, str]


def main() -> None:
    """Print the weights, and precision and recall from the threshold on."""
    features, labels, groups = zip(*examples(), strict=True)
    rows, right = np.array([astuple(row) for row in features]), np.array(labels)
    model = LogisticRegression(C=1 / _PENALTY)
    folds = GroupKFold(_FOLDS).split(rows, right, groups)
    chosen = cross_val_predict(model, rows, right, cv=list(folds), method="predict_proba")[:, 1] >= THRESHOLDS.citable
    model.fit(rows, right)
    weights = ", ".join(f"{weight:.2f}" for weight in model.coef_[0])
    typer.echo(f"bias {model.intercept_[0]:.2f}, support and relevance {weights}")
    typer.echo(f"precision {right[chosen].mean():.3f}, recall {chosen[right].mean():.3f} of {right.sum()}")


def examples() -> list[Example]:
    """Return the papers found for each true sentence of the dev part."""
    assistant = open_library(load())
    found: list[Example] = []
    with closing(assistant.library):
        indexes = assistant.library.fresh()
        for paragraph in load_paragraphs("dev"):
            model = SupportModel(assistant.reader, indexes.lexicon)
            for statement in paragraph.statements:
                text = statement.text
                hits = assistant.find(Query(text, text), indexes, top_k=_COMPARED).hits
                model.read(ClaimPair(text, hit.paper) for hit in hits)
                for hit in hits:
                    features = citable.features(model.assess(text, hit.paper).support, hit.score)
                    found.append((features, hit.paper.id == statement.paper, paragraph.id))
    return found


if __name__ == "__main__":
    command.run(main)

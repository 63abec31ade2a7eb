"""Find what makes an example hard: wrong papers near a question or a claim, and what its wording gives away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.training.examples import AnnotatedAbstract, questions_of, read_annotated, read_lines, training_abstracts
from eval.training.question_style import style_scores

# Papers of the large collection that wrong ones are drawn from, and characters that a usable abstract has.
_MANY, _MIN_ABSTRACT = 8000, 300
_DEPTH = 25
_SKIPPED = 2  # the nearest of many strangers may answer as well
_WRONG_TEXTS = 2  # with which a question that is answered is shown beside the right one


def many_papers(
    data: Path, annotated: Sequence[AnnotatedAbstract], seed: int = 3, count: int = _MANY
) -> list[dict[str, Any]]:
    """Return so many papers of the large collection, none of them annotated."""
    ids, titles = {paper.id for paper in annotated}, {paper.title.casefold() for paper in annotated if paper.title}
    papers = [
        row
        for row in read_lines(data / "ml_arxiv_2019" / "corpus.jsonl.gz", "id", "title", "abstract")
        if row["id"] not in ids and row["title"].casefold() not in titles and len(row["abstract"]) > _MIN_ABSTRACT
    ]
    return Random(seed).sample(papers, min(count, len(papers)))  # noqa: S311 - reproducible, not secret


def find_nearest(data: Path, encode: Any) -> tuple[dict[str, NDArray[Any]], list[dict[str, Any]]]:
    """Return arrays by name for the training part, and the papers behind the ranks named "many".

    The arrays are the ranks of wrong papers for questions and claims, and under "priors" the log-odds of an answer by
    the wording of each question and near miss. `encode` turns texts into unit vectors, shape (texts, dimension).
    """
    papers = training_abstracts(data)
    many = many_papers(data, [*read_annotated(data), *papers])
    own = encode([f"{paper.title}. {' '.join(paper.sentences)}" for paper in papers])
    others = encode([f"{row['title']}. {row['abstract']}" for row in many])
    questions = encode([question["text"] for paper in papers for question in paper.questions])
    claims = encode([claim["text"] for paper in papers for claim in paper.claims])
    question_owners = np.repeat(np.arange(len(papers)), [len(paper.questions) for paper in papers])
    claim_owners = np.repeat(np.arange(len(papers)), [len(paper.claims) for paper in papers])
    nearest = {
        "questions": _ranked(questions @ own.T, question_owners)[:, :_DEPTH],
        "claims": _ranked(claims @ own.T, claim_owners)[:, :_DEPTH],
        "many": _ranked(questions @ others.T, None)[:, _SKIPPED:_DEPTH],
        "priors": wording_priors(papers, encode),
    }
    return nearest, many


def _ranked(scores: NDArray[np.float32], owners: NDArray[np.int64] | None) -> NDArray[np.int32]:
    """Return the columns by decreasing score, the one that a row belongs to last."""
    if owners is not None:
        scores[np.arange(len(scores)), owners] = -np.inf
    return np.argsort(-scores, axis=1)[:, :_DEPTH].astype(np.int32)


def wording_priors(papers: Sequence[AnnotatedAbstract], encode: Any) -> NDArray[np.float32]:
    """Return the log-odds that the text shown with a question answers it, by its wording, shape (questions,).

    A question that is answered is shown with the right text and with two wrong ones, a near miss once. The style
    scores are cross-validated by paper.
    """
    asked = [(paper.id, question) for paper in papers for question in questions_of(paper)]
    labels = np.array([bool(question.answers) for _, question in asked])
    vectors = np.asarray(encode([question.query for _, question in asked]), dtype=np.float64)
    scores = np.array(style_scores(vectors, labels, [identifier for identifier, _ in asked])).clip(0.001, 0.999)
    answered = labels.sum() * scores
    near = (~labels).sum() * (1 - scores)
    priors: NDArray[np.float32] = np.log(answered / (_WRONG_TEXTS * answered + near)).astype(np.float32)
    return priors

"""Find wrong papers that are near a question or a claim: what a search would return beside the right one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.training.examples import Annotated, read_annotated, read_lines

# Papers of the large collection that wrong ones are drawn from, and characters that a usable abstract has.
_MANY, _MIN_ABSTRACT = 8000, 300
_DEPTH = 25
_SKIPPED = 2  # the nearest of many strangers may answer as well


def many_papers(data: Path, annotated: Sequence[Annotated], seed: int = 3) -> list[dict[str, Any]]:
    """Return papers of the large collection, none of them annotated."""
    ids, titles = {paper.id for paper in annotated}, {paper.title.casefold() for paper in annotated if paper.title}
    papers = [
        row
        for row in read_lines(data / "ml_arxiv_2019" / "corpus.jsonl.gz", "id", "title", "abstract")
        if row["id"] not in ids and row["title"].casefold() not in titles and len(row["abstract"]) > _MIN_ABSTRACT
    ]
    return Random(seed).sample(papers, min(_MANY, len(papers)))  # noqa: S311 - reproducible, not secret


def find_nearest(data: Path, encode: Any) -> tuple[dict[str, NDArray[np.int32]], list[dict[str, Any]]]:
    """Return, by name, the ranks of wrong papers for the questions and claims of the training part, and the many.

    `encode` turns texts into unit vectors, shape (texts, dimension).
    """
    annotated = read_annotated(data)
    many = many_papers(data, annotated)
    papers = [paper for paper in annotated if paper.part == "train"]
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
    }
    return nearest, many


def _ranked(scores: NDArray[np.float32], owners: NDArray[np.int64] | None) -> NDArray[np.int32]:
    """Return the columns by decreasing score, the one that a row belongs to last."""
    if owners is not None:
        scores[np.arange(len(scores)), owners] = -np.inf
    return np.argsort(-scores, axis=1)[:, :_DEPTH].astype(np.int32)

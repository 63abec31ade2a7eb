"""Align a question with a hit: how strongly each of its words is present in each passage of the abstract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.question.terms import QuestionTerms, Term
from assistant.schema import Paper, Passage
from assistant.text.sentences import passages

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.retrieval.late_interaction import Interactions


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The terms of a question against one paper.

    `presence`, shape (terms, passages), is the similarity of each term with the most similar word of each passage,
    `overall`, shape (terms,), that with title and abstract together; `maxsim`, shape (passages,), is MaxSim of the
    whole question with each passage. 0 in a passage beyond what the embedder reads.
    """

    paper: Paper
    terms: tuple[Term, ...]
    passages: tuple[Passage, ...]
    presence: Vectors
    overall: Vectors
    maxsim: Vectors


def align(terms: QuestionTerms, paper: Paper, interactions: Interactions) -> Alignment:
    """Return the alignment of a question with a paper that its interactions have loaded."""
    import numpy as np

    split = passages(paper.abstract)
    query = interactions.query
    rows = {start: row for row, start in enumerate(query.starts)}
    encoded = tuple(term for term in terms.content if term.start in rows)
    selected = [rows[term.start] for term in encoded]
    by_passage, best = interactions.by_passage(paper.id, split), interactions.best(paper.id)
    # Not a matrix product: of so small a strided array, BLAS now and then reports an invalid value that is not there.
    maxsim = np.einsum("i,ij->j", query.weights, by_passage)
    return Alignment(paper, encoded, split, by_passage[selected], best[selected], maxsim)

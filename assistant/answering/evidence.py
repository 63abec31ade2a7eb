"""Score every passage of the best hits by how likely it is to answer the question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.answering.answerability import CONSIDERED
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found
from assistant.schema import Hit, Passage, Query

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The inverse temperature of the softmax that assigns a term of the question to the passages of an abstract.
_SHARPNESS = 20.0
_ASKS_FOR_A_FIGURE = re.compile(
    r"\bhow (?:many|much|large|big|far|often|long|small|fast|high|low)\b"
    r"|\bwhat (?:%|percentage|share|fraction|rank|score)|\b(?:number|percentage|share|size) of\b|%",
    re.IGNORECASE,
)
_HAS_A_FIGURE = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half|third|double|doubles)\b", re.IGNORECASE
)
# Phrases in which authors state what they do or find.
_STATES = re.compile(
    r"\b(?:we (?:find|found|show|prove|demonstrate|observe|argue|conclude|propose|introduce|identify|discover|contend)"
    r"|results? (?:show|suggest|indicate)|our (?:findings|results|experiments)|outperform)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage of a hit with the probability that it answers the question, 0..1."""

    hit: Hit
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class EvidenceFeatures:
    """The features of a passage for the probability that it answers, each about 0..1 but the first.

    `paper` is the score of the hit minus that of the best hit: score differences are comparable between questions,
    scores are not. `won` is the share of the question's terms, weighted by idf, that a softmax over the passages of
    the abstract assigns to this one, `met` the mean presence of the terms in it. `position` in the abstract is 0 for
    the first passage and 1 for the last; `opening` is 1 for the first of several, which is often background. `figure`
    is 1 where the question asks for a figure and the passage has one, `states` where it says what the authors do or
    find.
    """

    paper: float
    won: float
    met: float
    position: float
    opening: float
    figure: float
    states: float


# A logistic model over the features, fitted on the dev half of the seeds suites by `python -m eval calibrate`.
WEIGHTS = EvidenceFeatures(paper=27.63, won=6.09, met=6.36, position=2.44, opening=-1.91, figure=0.72, states=0.57)
BIAS = -6.85


def select(retrieved: Found) -> list[Evidence]:
    """Return every passage of the best hits, the likeliest to answer first, scored by that probability, 0..1."""
    hits = retrieved.hits[:CONSIDERED]
    evidence = [
        Evidence(hit, passage, probability(passage_features))
        for hit, aligned in zip(hits, retrieved.alignments, strict=False)
        for passage, passage_features in zip(
            aligned.passages, features(retrieved.query, aligned, hit.score - hits[0].score), strict=True
        )
    ]
    return sorted(evidence, key=lambda item: (-item.score, item.hit.rank, item.passage.start))


def features(query: Query, aligned: Alignment, behind: float) -> list[EvidenceFeatures]:
    """Return the features of each passage of an abstract, in order; `behind` is its hit's score less the best hit's."""
    asks_for_figure = bool(_ASKS_FOR_A_FIGURE.search(query.standalone))
    last = max(1, len(aligned.passages) - 1)
    return [
        EvidenceFeatures(
            paper=behind,
            won=won,
            met=met,
            position=position / last,
            opening=float(position == 0 and len(aligned.passages) > 1),
            figure=float(asks_for_figure and bool(_HAS_A_FIGURE.search(passage.text))),
            states=float(bool(_STATES.search(passage.text))),
        )
        for position, (passage, won, met) in enumerate(zip(aligned.passages, *_won_and_met(aligned), strict=True))
    ]


def probability(features: EvidenceFeatures) -> float:
    """Return the logistic model's probability that the passage answers, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, features)


def _won_and_met(aligned: Alignment) -> tuple[list[float], list[float]]:
    """Return for each passage its share of the terms, by a soft maximum over the passages, and their mean presence.

    Terms count by their idf.
    """
    import numpy as np

    if not aligned.terms or not aligned.passages:
        return ([0.0] * len(aligned.passages),) * 2
    idf = np.array([term.idf for term in aligned.terms])
    weights: Vectors = idf / max(idf.sum(), 1e-9)
    claims = np.exp(_SHARPNESS * (aligned.presence - aligned.presence.max(axis=1, keepdims=True)))
    won = weights @ (claims / claims.sum(axis=1, keepdims=True))
    return won.tolist(), (weights @ aligned.presence).tolist()

"""Score every passage of the best hits by how likely it is to answer the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.answering.calibration import PACKAGED, Calibration, EvidenceFeatures
from assistant.encodings import PairReading
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.reading import NOT_READ
from assistant.retrieval.search import Found
from assistant.schema import Hit, Passage

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The inverse temperature of the softmax that assigns a term of the question to the passages of an abstract.
_SHARPNESS = 20.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage of a hit with the probability that it answers the question, 0..1."""

    hit: Hit
    passage: Passage
    score: float


def select(retrieved: Found, calibration: Calibration = PACKAGED) -> list[Evidence]:
    """Return every passage that was read, the likeliest to answer first, scored by that probability."""
    read = zip(retrieved.hits, retrieved.alignments, retrieved.readings, strict=False)
    evidence = [
        Evidence(hit, passage, calibration.evidence.probability(passage_features))
        for hit, aligned, reading in read
        for passage, passage_features in features(aligned, reading, hit.score - retrieved.hits[0].score)
    ]
    return sorted(evidence, key=lambda item: (-item.score, item.hit.rank, item.passage.start))


def features(aligned: Alignment, reading: PairReading, behind: float) -> list[tuple[Passage, EvidenceFeatures]]:
    """Return each passage of an abstract that was read, in order, with its features.

    `behind` is the score of its hit less that of the best hit.
    """
    answers, last = logistic.log_odds(reading.answers), max(1, len(aligned.passages) - 1)
    rows = zip(aligned.passages, reading.answering, *_won_and_met(aligned), strict=True)
    return [
        (
            passage,
            EvidenceFeatures(
                answers=answers,
                sentence=logistic.log_odds(score),
                paper=behind,
                won=won,
                met=met,
                position=position / last,
                opening=float(position == 0 and len(aligned.passages) > 1),
            ),
        )
        for position, (passage, score, won, met) in enumerate(rows)
        if score > NOT_READ
    ]


def _won_and_met(aligned: Alignment) -> tuple[list[float], list[float]]:
    """Return for each passage its share of the terms, by a soft maximum over the passages, and their mean presence.

    Terms count by their idf.
    """
    import numpy as np

    if not aligned.terms or not aligned.passages:
        return ([0.0] * len(aligned.passages),) * 2
    idf = np.array([term.idf for term in aligned.terms])
    weights: Vectors = idf / max(idf.sum(), 1e-9)
    shares = np.exp(_SHARPNESS * (aligned.presence - aligned.presence.max(axis=1, keepdims=True)))
    won = weights @ (shares / shares.sum(axis=1, keepdims=True))
    return won.tolist(), (weights @ aligned.presence).tolist()

"""Aligned hits to the passages that bear on the question: each sentence by what it alone has of what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant import logistic
from assistant.protocols import Lexicon
from assistant.retrieval.alignment import Alignment
from assistant.schema import Evidence, Hit, Passage, Query
from assistant.text.sentences import passages

# How sharply a word of the question falls to the sentence of an abstract that has it best.
_SHARPNESS = 20.0
# Passages that stand for a hit in a list of search results, and what it is worth to stand at the end of the abstract.
_PASSAGES = 3
_PLACE = 0.15
_ASKS_FOR_A_FIGURE = re.compile(
    r"\bhow (?:many|much|large|big|far|often|long|small|fast|high|low)\b"
    r"|\bwhat (?:%|percentage|share|fraction|rank|score)|\b(?:number|percentage|share|size) of\b|%",
    re.IGNORECASE,
)
_HAS_A_FIGURE = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twice|half|third|double|doubles)\b", re.IGNORECASE
)
# How a sentence says that it is the authors' own: what they do, or what came of it.
_STATES = re.compile(
    r"\b(?:we (?:find|found|show|prove|demonstrate|observe|argue|conclude|propose|introduce|identify|discover|contend)"
    r"|results? (?:show|suggest|indicate)|our (?:findings|results|experiments)|outperform)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What speaks for a sentence, each about 0..1 but the first.

    `paper` is the hit's score less that of the best hit: how high scores are differs from question to question, how far
    the papers lie apart is what tells them. `won` is the share of the question's words, weighted by rarity, that falls
    to it rather than to other sentences of the abstract, `met` the mean presence of these words in it; `place` in the
    abstract, 0 first, 1 last; `opening` 1 for the first of several sentences, which sets the scene; `figure` 1 where
    one is asked for and the sentence has one; `states` 1 where it says what the authors do or find.
    """

    paper: float
    won: float
    met: float
    place: float
    opening: float
    figure: float
    states: float


# A logistic model over the marks, fitted on the dev half of the seeds suites by `python -m eval calibrate`.
WEIGHTS = Marks(paper=27.63, won=6.09, met=6.36, place=2.44, opening=-1.91, figure=0.72, states=0.57)
BIAS = -6.85


def select(query: Query, aligned: Sequence[Alignment]) -> list[Evidence]:
    """Every sentence of the aligned hits, the likeliest to answer first; its score is that likelihood, 0..1."""
    found = [
        Evidence(each.hit, passage, probability(found))
        for each in aligned
        for passage, found in zip(each.passages, marks(query, each, aligned[0].hit.score), strict=True)
    ]
    return sorted(found, key=lambda each: (-each.score, each.hit.rank, each.passage.start))


def marks(query: Query, aligned: Alignment, best: float) -> list[Marks]:
    """What speaks for each sentence of an abstract, in its order; `best` is the score of the best hit."""
    wanted = bool(_ASKS_FOR_A_FIGURE.search(query.standalone))
    last = max(1, len(aligned.passages) - 1)
    return [
        Marks(
            paper=aligned.hit.score - best,
            won=won,
            met=met,
            place=at / last,
            opening=float(at == 0 and len(aligned.passages) > 1),
            figure=float(wanted and bool(_HAS_A_FIGURE.search(passage.text))),
            states=float(bool(_STATES.search(passage.text))),
        )
        for at, (passage, won, met) in enumerate(zip(aligned.passages, *_won_and_met(aligned), strict=True))
    ]


def probability(found: Marks) -> float:
    """The logistic model's probability that the sentence answers, 0..1."""
    return logistic.probability(BIAS, WEIGHTS, found)


def with_passages(query: Query, hits: Sequence[Hit], lexicon: Lexicon) -> tuple[Hit, ...]:
    """Each hit with the sentences most like the question, in the abstract's order; what retrieval knows is enough."""
    weights = lexicon.idf(set(lexicon.terms(query.standalone)))
    return tuple(replace(hit, passages=_sharing(hit, weights, lexicon)) for hit in hits)


def coverage(text: str, weights: Mapping[str, float], lexicon: Lexicon) -> float:
    """The share of the weighted terms that the text has, 0..1."""
    total = sum(weights.values())
    return sum(weights.get(term, 0.0) for term in set(lexicon.terms(text))) / total if total else 0.0


def _won_and_met(aligned: Alignment) -> tuple[list[float], list[float]]:
    """For each sentence, the share of the words that falls to it, by a soft maximum over the sentences; their presence.

    Words count by their rarity.
    """
    import numpy as np

    if not aligned.words or not aligned.passages:
        return ([0.0] * len(aligned.passages),) * 2
    idf = np.array([word.idf for word in aligned.words])
    weights = idf / max(idf.sum(), 1e-9)
    claims = np.exp(_SHARPNESS * (aligned.presence - aligned.presence.max(axis=1, keepdims=True)))
    won = weights @ (claims / claims.sum(axis=1, keepdims=True))
    return won.tolist(), (weights @ aligned.presence).tolist()


def _sharing(hit: Hit, weights: Mapping[str, float], lexicon: Lexicon) -> tuple[Passage, ...]:
    """The sentences that are most like the question and share most terms; conclusions stand at the end."""
    found = passages(hit.paper.abstract)
    likeness = hit.likeness or (0.0,) * len(found)
    scores = {
        each: coverage(each.text, weights, lexicon) + near + _PLACE * place / len(found)
        for place, (each, near) in enumerate(zip(found, likeness, strict=True))
    }
    best = sorted(found, key=lambda each: -scores[each])[:_PASSAGES]
    return tuple(sorted(best, key=lambda each: each.start))

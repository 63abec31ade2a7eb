"""Hits to the passages that bear on the question: each sentence scored by meaning and by shared terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from assistant.ports import Lexicon
from assistant.schema import Evidence, Hit, Passage, Query
from assistant.sentences import passages

# Papers whose sentences are looked at, and how much the rank of the paper counts beside its sentence.
PAPERS = 5
_PAPER_WEIGHT = 0.4
# Passages that stand for a hit in a list of search results.
_PASSAGES = 2


def select(query: Query, hits: Sequence[Hit], lexicon: Lexicon) -> list[Evidence]:
    """Every sentence of the best hits with its score, the best first.

    A sentence's score is the mean of its likeness to the question and the share of the question's terms that it
    has, weighted by their rarity; the paper's own score is added in part, so that a fitting sentence of a better
    paper goes first.
    """
    weights = lexicon.rarity(set(lexicon.terms(query.standalone)))
    scored = [
        Evidence(hit, passage, _score(likeness, coverage(passage.text, weights, lexicon), hit))
        for hit in hits[:PAPERS]
        for passage, likeness in _sentences(hit)
    ]
    return sorted(scored, key=lambda each: (-each.score, each.hit.rank, each.passage.start))


def _sentences(hit: Hit) -> Iterator[tuple[Passage, float]]:
    """The sentences of a hit, each with its likeness to the question."""
    found = passages(hit.paper.abstract)
    return zip(found, hit.likeness or (0.0,) * len(found), strict=True)


def with_passages(query: Query, hits: Sequence[Hit], lexicon: Lexicon) -> tuple[Hit, ...]:
    """Each hit with the sentences that share most with the question, in the abstract's order. Needs no model."""
    weights = lexicon.rarity(set(lexicon.terms(query.standalone)))
    return tuple(replace(hit, passages=_sharing(hit, weights, lexicon)) for hit in hits)


def _sharing(hit: Hit, weights: Mapping[str, float], lexicon: Lexicon) -> tuple[Passage, ...]:
    ranked = sorted(passages(hit.paper.abstract), key=lambda each: -coverage(each.text, weights, lexicon))
    return tuple(sorted(ranked[:_PASSAGES], key=lambda each: each.start))


def coverage(text: str, weights: Mapping[str, float], lexicon: Lexicon) -> float:
    """The share of the weighted terms that the text has, 0..1."""
    total = sum(weights.values())
    return sum(weights.get(term, 0.0) for term in set(lexicon.terms(text))) / total if total else 0.0


def _score(likeness: float, shared: float, hit: Hit) -> float:
    own = (max(likeness, 0.0) + shared) / 2
    return (1 - _PAPER_WEIGHT) * own + _PAPER_WEIGHT * hit.score

"""Select the passages that represent a hit in a list of search results."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.protocols import TermStatistics
from assistant.question.terms import QuestionTerms
from assistant.schema import Passage

# Passages that represent a hit, and the bonus of the last sentence of an abstract, where conclusions stand.
_PASSAGES = 3
_POSITION = 0.15


def select_passages(
    passages: Sequence[Passage], maxsim: Sequence[float], terms: QuestionTerms, lexicon: TermStatistics
) -> tuple[Passage, ...]:
    """Return the passages most similar to the question that share most of its terms, in the abstract's order.

    `maxsim[i]` is the similarity of passage i with the question.
    """
    scores = [
        coverage(passage.text, terms, lexicon) + similarity + _POSITION * position / len(passages)
        for position, (passage, similarity) in enumerate(zip(passages, maxsim, strict=True))
    ]
    best = sorted(range(len(passages)), key=lambda position: -scores[position])[:_PASSAGES]
    return tuple(passages[position] for position in sorted(best))


def coverage(text: str, terms: QuestionTerms, lexicon: TermStatistics) -> float:
    """Return the share of the question's idf that the text's terms have, 0..1."""
    total = sum(terms.index_idf.values())
    return sum(terms.index_idf.get(term, 0.0) for term in set(lexicon.terms(text))) / total if total else 0.0

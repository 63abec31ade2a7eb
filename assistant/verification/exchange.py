"""Find words of a claim that the evidence has in exchanged roles: `A outperforms B` beside `B outperforms A`.

A reader of pairs weighs which words two texts share more than their order; this compares the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from assistant.text.function_words import FUNCTION_WORDS
from assistant.text.matching import words

# What turns the order of agent and object around: `B is outperformed by A`.
_AGENT = "by"


def are_exchanged(claim: str, sentence: str) -> bool:
    """Tell whether two words of the claim stand around a third in the reverse order in the sentence.

    Only content words that both have count, each where it first stands. Where one of the two is in the passive voice,
    as "by" between the words shows, the reverse order is the same statement.
    """
    claimed, stated = words(claim), words(sentence)
    shared = [word for word in dict.fromkeys(claimed) if word in stated and word not in FUNCTION_WORDS]
    positions = [stated.index(word) for word in shared]
    return any(
        positions[first] > positions[pivot] > positions[last]
        and _is_passive(claimed, shared[pivot], shared[last]) == _is_passive(stated, shared[pivot], shared[first])
        for first, pivot, last in combinations(range(len(shared)), 3)
    )


def _is_passive(text: Sequence[str], pivot: str, last: str) -> bool:
    return _AGENT in text[text.index(pivot) : text.index(last)]

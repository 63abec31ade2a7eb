"""Find words of a claim that the evidence has in exchanged roles: `A outperforms B` beside `B outperforms A`.

A reader of pairs weighs which words two texts share more than their order; this compares the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

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
    places = _first_places(stated)
    # Where each shared word stands in the claim, and in the sentence, in the order of the claim.
    shared = [
        (place, places[word])
        for word, place in _first_places(claimed).items()
        if word in places and word not in FUNCTION_WORDS
    ]
    in_claim, in_sentence = _agents_before(claimed), _agents_before(stated)
    for number, (claim_place, place) in enumerate(shared):
        active_before = {in_sentence[place] == in_sentence[other] for _, other in shared[:number] if other > place}
        later = (here for here, other in shared[number + 1 :] if other < place)
        if active_before and any((in_claim[claim_place] == in_claim[here]) in active_before for here in later):
            return True
    return False


def _first_places(text: Sequence[str]) -> dict[str, int]:
    """Return where each word first stands, in that order."""
    places: dict[str, int] = {}
    for place, word in enumerate(text):
        places.setdefault(word, place)
    return places


def _agents_before(text: Sequence[str]) -> list[int]:
    """Return how many "by" stand before each place: between two places without one, the voice is active."""
    return [0, *accumulate(int(word == _AGENT) for word in text)]

"""Turn a question for yes or no into a claim, and a claim into its inversion: with a negation, or without its own.

English negates behind the first auxiliary verb; a clause without one takes "does not" before its verb, which a
classifier of words finds (`python -m eval.training.inversions`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from assistant.question import fitted, subject
from assistant.question.subject import Word, word_features
from assistant.text.function_words import AUXILIARIES

WEIGHTS = Path(__file__).parent / "weights" / "inversions.npz"
VOCABULARY = Path(__file__).parent / "weights" / "inversions.txt"
# The label of the word that "does not" comes before; any other word is `OTHER`.
VERB, OTHER = "verb", "other"
_NEGATION = re.compile(r"\b(?:(can)not|(?:(?:does|do|did) )?not|(\w+)n['’]t|never)\s+", re.IGNORECASE)
_INFLECTION = re.compile(r"(?<=[^s\W])s$")


def statement(question: str) -> str:
    """Return what a yes/no question asks about as a statement: without the auxiliary verb in front."""
    first, _, rest = question.strip().rstrip("? ").partition(" ")
    return f"{rest}." if first.casefold() in AUXILIARIES and rest else question.strip()


def invert(claim: str) -> str:
    """Return the claim with a negation, or without the first one that it has. Raises ModelError."""
    if negation := _NEGATION.search(claim):
        kept = negation[1] or negation[2] or ""
        return f"{claim[: negation.start()]}{kept}{' ' if kept else ''}{claim[negation.end() :]}"
    words = subject.split(claim)
    auxiliary = next((word for word in words[1:] if word.text.casefold() in AUXILIARIES), None)
    if auxiliary:
        return f"{claim[: auxiliary.end]} not{claim[auxiliary.end :]}"
    if len(words) < 2:
        return f"not {claim}"
    verb = words[verb_position(claim, words)]
    return f"{claim[: verb.start]}does not {_INFLECTION.sub('', verb.text)}{claim[verb.end :]}"


def verb_position(claim: str, words: Sequence[Word]) -> int:
    """Return the position of the word, not the first, that "does not" would come before. Raises ModelError."""
    classifier, vocabulary = fitted.packaged(WEIGHTS), _vocabulary()
    probabilities = [
        classifier.probabilities(word_features(claim, words, position, None, vocabulary))[VERB]
        for position in range(1, len(words))
    ]
    return 1 + max(range(len(probabilities)), key=probabilities.__getitem__)


@cache
def _vocabulary() -> frozenset[str]:
    """Return the words whose identity the classifier reads. Raises ModelError."""
    return subject.read_vocabulary(VOCABULARY)

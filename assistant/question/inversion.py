"""Turn a question for yes or no into a claim, and a claim into its inversion: with a negation, or without its own.

English negates behind the first auxiliary verb; a clause without one takes "do not" before its verb, which a classifier
of words finds (`python -m eval.training.inversions`). The auxiliary takes over the inflection of the verb ("helps":
"does not help"), so that it agrees with the subject.
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
# The endings of a verb that "does" and "did" take over.
_INFLECTIONS = {"does": re.compile(r"(?<=[^s\W])s$"), "did": re.compile(r"(?<=\w\w)ed$")}


def statement(question: str) -> str:
    """Return what a yes/no question asks about as a statement: without the auxiliary verb in front."""
    first, _, rest = question.strip().rstrip("? ").partition(" ")
    return f"{rest}." if first.casefold() in AUXILIARIES and rest else question.strip()


def auxiliary_of(question: str) -> str:
    """Return the auxiliary verb in front of a question, in small letters; empty where there is none."""
    first = question.strip().partition(" ")[0].casefold()
    return first if first in AUXILIARIES else ""


def invert(claim: str, auxiliary: str = "") -> str:
    """Return the claim with a negation, or without the first one that it has.

    `auxiliary` is that of the question that the claim was read from, if it was. Raises ModelError.
    """
    if negation := _NEGATION.search(claim):
        kept = negation[1] or negation[2] or ""
        return f"{claim[: negation.start()]}{kept}{' ' if kept else ''}{claim[negation.end() :]}"
    words = subject.split(claim)
    present = next((word for word in words[1:] if word.text.casefold() in AUXILIARIES), None)
    if present and not auxiliary:
        return f"{claim[: present.end]} not{claim[present.end :]}"
    if len(words) < 2:
        return f"not {claim}"
    verb = words[verb_position(claim, words)]
    base = verb.text if auxiliary else _base(verb.text)
    return f"{claim[: verb.start]}{auxiliary or _auxiliary(verb.text)} not {base}{claim[verb.end :]}"


def _auxiliary(verb: str) -> str:
    """Return the form of "do" that has the inflection of a verb."""
    return next((name for name, ending in _INFLECTIONS.items() if ending.search(verb)), "do")


def _base(verb: str) -> str:
    """Return a verb without its inflection: the form that claims use most, or else without the ending."""
    if not any(ending.search(verb) for ending in _INFLECTIONS.values()):
        return verb
    shortened = (verb[:-1], verb[:-2], verb[:-3])
    bare = verb[:-1] if verb.endswith("s") else verb[:-2]
    return next((form for form in shortened if form.casefold() in _vocabulary()), bare)


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

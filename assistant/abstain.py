"""Is there an answer here? A calibrated probability, the strength that follows from it, and the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from assistant.ports import Lexicon
from assistant.schema import Hit, Judgement, Query, Strength

# Words of a question named as missing.
_MOST_NAMED = 3
_MARKS = "?!.,;:\"'()[]"
# Words of asking, which say nothing of what is asked for.
_ASKING = frozenset(
    "what which who whom whose when where why how do does did done can could should would will shall may might must "
    "has have had am been being many much more most any some they them he she i we you me us my our your "
    "tell show give find explain describe please about from than so also just only there here".split()
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer being here, each about 0..1, higher is better.

    `cosine` of the question with the nearest paper; `known` share of the question's terms that any paper has.
    """

    cosine: float
    known: float


# A logistic model over the signs, fitted on the dev half of the seeds suites by `python -m eval calibrate`.
WEIGHTS = Signs(cosine=4.74, known=4.66)
BIAS = -5.82


def judge(
    query: Query,
    hits: Sequence[Hit],
    lexicon: Lexicon,
    firm_from: float,
    tentative_from: float,
) -> Judgement:
    """How likely it is that the library answers the question, and what to make of it."""
    if query.is_blank:
        return Judgement(0.0, Strength.NONE, "there is no question in it")
    if not hits:
        return Judgement(0.0, Strength.NONE, "it holds no paper yet; add some with `paperchat ingest`")
    confidence = probability(signs(query, hits, lexicon))
    if confidence >= firm_from:
        return Judgement(confidence, Strength.FIRM)
    if confidence >= tentative_from:
        return Judgement(confidence, Strength.TENTATIVE, "these passages are the nearest, but may not be an answer")
    return Judgement(confidence, Strength.NONE, _reason(query, lexicon))


def signs(query: Query, hits: Sequence[Hit], lexicon: Lexicon) -> Signs:
    """What speaks for an answer being here; `hits` is not empty."""
    terms = _telling_words(query, lexicon)
    return Signs(
        cosine=max(hit.scores.get("dense", 0.0) for hit in hits),
        known=1.0 - len(lexicon.unknown(terms)) / max(1, len(terms)),
    )


def probability(found: Signs) -> float:
    """The logistic model's probability, 0..1."""
    total = BIAS + sum(weight * sign for weight, sign in zip(astuple(WEIGHTS), astuple(found), strict=True))
    return 1.0 / (1.0 + math.exp(-total))


def _reason(query: Query, lexicon: Lexicon) -> str:
    """Names the question's words that no abstract of the library has, if there are any."""
    words = _telling_words(query, lexicon)
    absent = lexicon.unknown(words)
    named = list(dict.fromkeys(word for term, word in words.items() if term in absent))[:_MOST_NAMED]
    if named:
        return f"no abstract in the library mentions {' or '.join(named)}"
    return "no abstract in the library seems to answer it"


def _telling_words(query: Query, lexicon: Lexicon) -> dict[str, str]:
    """The question's index terms, without those that any question may have, each with the word that it comes from."""
    words = (word.strip(_MARKS) for word in query.standalone.split())
    return {term: word for word in words if word.casefold() not in _ASKING for term in lexicon.terms(word)}

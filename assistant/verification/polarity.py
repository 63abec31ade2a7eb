"""Find words that reverse or strengthen a statement: antonyms, negations, absolutes, hedges.

Antonyms are compared by the lexicon's stems, so that `increases` and `increased` are one word; words that the lexicon
drops as stop-words are compared as written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.protocols import TermStatistics
from assistant.verification.tokenized_text import TokenizedText

# A word at one end of an axis is an antonym of every word at the other end.
_AXES: Mapping[str, tuple[str, str]] = {
    "amount": (
        "increase rise rose risen grow grew gain raise boost more most higher highest high larger largest large "
        "greater greatest bigger biggest longer longest long enhance elevated expand amplify above exceed upregulated "
        "activate induce promote climb extend double wider deeper widen",
        "decrease decline fall fell fallen drop reduce reduction lower lowest low smaller smallest small less least "
        "fewer fewest lesser shorter shortest short shrink shrank diminish below cut suppress inhibit inhibition "
        "downregulated attenuate prevent halve narrower shallower narrow block",
    ),
    "worth": (
        "better best improve improvement outperform surpass beat superior benefit beneficial help succeed success "
        "effective accurate robust safe safer solve resolve cure strong stronger win good useful ahead protect stable",
        "worse worst worsen degrade degradation underperform inferior harm harmful hurt fail failure ineffective "
        "inaccurate fragile brittle unsafe weak weaker lose lag behind poor useless unstable deteriorate damage "
        "vulnerable",
    ),
    "speed": (
        "faster fastest fast quick quickly quicker accelerate rapid rapidly sooner speed",
        "slower slowest slow slowly delay later gradually gradual",
    ),
    "ease": (
        "easier easiest easy easily simple simpler cheap cheaper",
        "harder hardest hard difficult costly expensive",
    ),
    "company": ("with using including together jointly", "without lacking excluding separately"),
    "order": ("before first early earlier", "after last late later"),
    "sameness": (
        "same similar similarly equal equally comparable match agree consistent identical",
        "different differently differ unequal disagree inconsistent distinct contrast",
    ),
    "need": ("require necessary need essential must", "unnecessary needless optional"),
    "sign": ("positive positively", "negative negatively"),
    "keep": ("retain preserve maintain remain keep", "remove eliminate lose forget vanish"),
}
_COMPARATIVES = frozenset(
    word for ends in _AXES.values() for end in ends for word in end.split() if word.endswith("er")
) | {"more", "less", "worse"}
_NEGATIONS = frozenset(
    "not no never neither nor cannot without hardly barely rarely seldom scarcely unable impossible inability fail "
    "fails failed failing lack lacks lacking absence isn aren doesn don didn wasn weren won couldn".split()
)
# Words that deny or weaken a statement without a grammatical negation.
_SOFT = frozenset(
    "none nothing nobody nowhere little few less least minimal limited independent independently irrespective "
    "regardless insufficient inadequate ineffective unlikely unclear unnecessary unchanged unrelated unaffected "
    "unsuccessful absent miss misses missing minus deny denies refute refutes reject rejects contrary instead rather "
    "although however but only despite unlike differ differs different non challenge challenges poor poorly".split()
)
# Words that deny a whole statement.
_DENIALS = frozenset("not never cannot isn aren doesn don didn wasn weren won couldn nor".split())
# Words that allow no exception. An abstract that uses none of them rarely supports a claim that does.
_ABSOLUTES = frozenset(
    "all always every everywhere everything never any entirely completely fully totally wholly guarantee guarantees "
    "guaranteed prove proves proven solve solves solved eliminate eliminates eliminated perfect perfectly universally "
    "invariably whenever regardless definitively conclusively".split()
)
_PROOFS = frozenset(
    "show shows shown showed showing prove proves proven demonstrate demonstrates demonstrated establish establishes "
    "established confirm confirms confirmed".split()
)
_HEDGES = frozenset(
    "may might could potentially potential possible possibly suggest suggests suggesting hypothesize conjecture hope "
    "aim preliminary partially partly if sometimes often likely can toward towards explore illustrate".split()
)
# How many words before a word of direction, and before any other word, a negation still applies to it. `neither` and
# `nor` negate what follows the things that they list (`neither a larger model nor more data helps`).
_DIRECTION_REACH, _REACH = 2, 4
_LISTING = frozenset({"neither", "nor"})


@dataclass(frozen=True, slots=True)
class Pole:
    """A word at one end (1 or -1) of an axis of antonyms; a negation before it has already been applied."""

    word: int
    axis: str
    side: int


def antonym_axes(lexicon: TermStatistics) -> Mapping[str, tuple[str, int]]:
    """Map each stem that stands at an end of an axis to the axis and the end."""
    return {
        stem: (axis, side)
        for axis, ends in _AXES.items()
        for side, end in zip((1, -1), ends, strict=True)
        for word in end.split()
        for stem in (lexicon.terms(word) or [word])
    }


def is_comparative(word: str) -> bool:
    """Tell whether a word of direction, in lower case, compares: `lower`, `more`."""
    return word in _COMPARATIVES


def find_poles(words: TokenizedText, axes: Mapping[str, tuple[str, int]]) -> list[Pole]:
    """Return the words of direction in a text, in order."""
    placed = ((index, axes.get(stem or words.lower(index))) for index, stem in enumerate(words.stems))
    return [
        Pole(index, end[0], -end[1] if _is_reversed(words, index) else end[1])
        for index, end in placed
        if end is not None
    ]


def is_negated(words: TokenizedText, index: int) -> bool:
    """Tell whether a negation stands shortly before the word in its clause."""
    return any(is_negation(words, before) for before in words.preceding(index, _REACH))


def may_be_negated(words: TokenizedText, index: int) -> bool:
    """Tell whether a negation stands anywhere in the word's clause."""
    clause = words.clauses[index]
    return any(is_negation(words, word) and words.clauses[word] == clause for word in range(len(words)))


def is_negation(words: TokenizedText, index: int) -> bool:
    """Tell whether the word negates what follows."""
    return words.lower(index) in _NEGATIONS


def denials(words: TokenizedText) -> list[int]:
    """Return the indices of the words that deny the whole statement."""
    return [index for index in range(len(words)) if words.lower(index) in _DENIALS]


def has_doubt(words: TokenizedText, indices: Iterable[int]) -> bool:
    """Tell whether one of the words negates, denies or weakens something."""
    return any(is_negation(words, index) or words.lower(index) in _SOFT for index in indices)


def absolutes(words: TokenizedText) -> dict[str, int]:
    """Map the words that allow no exception to their indices; `hardly any` and `all but one` do not count."""
    return {
        words.lower(index): index
        for index in range(len(words))
        if words.lower(index) in _ABSOLUTES and not is_negated(words, index) and not _has_exception(words, index)
    }


def first_proof_word(words: TokenizedText, indices: Iterable[int]) -> str:
    """Return the first of the words that says that something has been shown, or the empty string."""
    return next((words.lower(index) for index in indices if words.lower(index) in _PROOFS), "")


def is_hedged(words: TokenizedText, indices: Iterable[int]) -> bool:
    """Tell whether one of the words leaves room for doubt."""
    return any(words.lower(index) in _HEDGES for index in indices)


def _is_reversed(words: TokenizedText, index: int) -> bool:
    preceding = words.preceding(index, _DIRECTION_REACH)
    return any(is_negation(words, word) and words.lower(word) not in _LISTING for word in preceding)


def _has_exception(words: TokenizedText, index: int) -> bool:
    return index + 1 < len(words) and words.lower(index + 1) in {"but", "except"}

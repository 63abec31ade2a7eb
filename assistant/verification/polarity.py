"""Words that turn a statement round: opposites, negations, and words that claim too much.

Opposites are compared by the stem that the lexicon gives them, so that `increases` and `increased` are one word;
those that it drops as stop-words, as they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.protocols import Lexicon
from assistant.verification.wording import Words

# What stands at one end of an axis says the contrary of what stands at the other.
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
_NEGATIONS = frozenset(
    "not no never neither nor cannot without hardly barely rarely seldom scarcely unable impossible inability fail "
    "fails failed failing lack lacks lacking absence isn aren doesn don didn wasn weren won couldn".split()
)
# What says without a negation that something is not so, or hardly so.
_SOFT = frozenset(
    "none nothing nobody nowhere little few less least minimal limited independent independently irrespective "
    "regardless insufficient inadequate ineffective unlikely unclear unnecessary unchanged unrelated unaffected "
    "unsuccessful absent miss misses missing minus deny denies refute refutes reject rejects contrary instead rather "
    "although however but only despite unlike differ differs different non challenge challenges poor poorly".split()
)
# What denies a statement outright.
_DENIALS = frozenset("not never cannot isn aren doesn don didn wasn weren won couldn nor".split())
# Few of these are ever earned by an abstract that does not use one of them itself.
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
# How many words before another one a negation turns it: of a word of direction, and of any other. What `neither`
# denies comes after the things that it lists (`neither a larger model nor more data helps`).
_TURNS_DIRECTION, _TURNS = 2, 4
_LISTING = frozenset({"neither", "nor"})


@dataclass(frozen=True, slots=True)
class Pole:
    """A word at one end (1 or -1) of an axis of opposites; a negation before it has been counted in."""

    number: int
    axis: str
    side: int


def directions(lexicon: Lexicon) -> Mapping[str, tuple[str, int]]:
    """For each stem that stands at an end of an axis, the axis and the end."""
    return {
        stem: (axis, side)
        for axis, ends in _AXES.items()
        for side, end in zip((1, -1), ends, strict=True)
        for word in end.split()
        for stem in (lexicon.terms(word) or [word])
    }


def poles(words: Words, known: Mapping[str, tuple[str, int]]) -> list[Pole]:
    """The words of direction in a text, in order."""
    found = ((number, known.get(stem or words.lower(number))) for number, stem in enumerate(words.stems))
    return [
        Pole(number, axis_side[0], -axis_side[1] if _turned(words, number) else axis_side[1])
        for number, axis_side in found
        if axis_side
    ]


def is_negated(words: Words, number: int) -> bool:
    """Whether a negation stands close before the word in its clause."""
    return any(is_negation(words, each) for each in words.before(number, _TURNS))


def may_be_negated(words: Words, number: int) -> bool:
    """Whether a negation stands anywhere in the word's clause."""
    return any(is_negation(words, each) and words.clauses[each] == words.clauses[number] for each in range(len(words)))


def is_negation(words: Words, number: int) -> bool:
    """Whether the word denies what follows."""
    return words.lower(number) in _NEGATIONS


def denials(words: Words) -> list[int]:
    """The words of a text that deny its statement outright."""
    return [number for number in range(len(words)) if words.lower(number) in _DENIALS]


def has_doubt(words: Words, within: Iterable[int]) -> bool:
    """Whether one of the words denies something, outright or softly."""
    return any(is_negation(words, number) or words.lower(number) in _SOFT for number in within)


def absolutes(words: Words) -> dict[str, int]:
    """The words of a text that allow no exception, with their numbers; not `hardly any` and `all but one`."""
    return {
        words.lower(number): number
        for number in range(len(words))
        if words.lower(number) in _ABSOLUTES and not is_negated(words, number) and not _has_exception(words, number)
    }


def proof(words: Words, within: Iterable[int]) -> str:
    """The first of the words that says that something has been shown; empty if none does."""
    return next((words.lower(number) for number in within if words.lower(number) in _PROOFS), "")


def is_careful(words: Words, within: Iterable[int]) -> bool:
    """Whether one of the words leaves room for doubt."""
    return any(words.lower(number) in _HEDGES for number in within)


def _turned(words: Words, number: int) -> bool:
    before = words.before(number, _TURNS_DIRECTION)
    return any(is_negation(words, each) and words.lower(each) not in _LISTING for each in before)


def _has_exception(words: Words, number: int) -> bool:
    return number + 1 < len(words) and words.lower(number + 1) in {"but", "except"}

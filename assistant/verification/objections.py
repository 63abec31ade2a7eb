"""What speaks against a claim, found by comparing it with the passage of an abstract that says most of it.

Each objection has a strength, 0 where there is nothing to object, and a reason that a person understands. How much
each kind weighs is fitted (`assistant.verification.support`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.schema import Passage
from assistant.verification.polarity import (
    Pole,
    absolutes,
    denials,
    has_doubt,
    is_careful,
    is_negated,
    is_negation,
    may_be_negated,
    poles,
    proof,
)
from assistant.verification.proper_names import names, speaks_of
from assistant.verification.quantities import Quantity, bound, follows, quantities, same
from assistant.verification.wording import Words, said

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Share of a claim that an honest paraphrase still has in the abstract.
_PARAPHRASE = 0.72
# Likeness from which a word says the same; fit of a word and its context from which it counts as turned, as denied.
_ALIKE, _TURNED, _DENIED = 0.7, 0.4, 0.5
# Words on each side that are a word's context in the claim, and in the abstract.
_CONTEXT, _WIDER = 10, 12
# How much better another number of the abstract must fit the place of a claim's, and when it fits exactly.
_BETTER, _EXACTLY = 0.25, 0.9
# A number that the abstract lacks, with no other in its place.
_MISSING = 0.5
# How strongly a denial in the claim speaks against it where the passage has none.
_OUTRIGHT = 0.25
_MOST_NAMED = 3
# The words on both sides of a word; words that only set a tone.
_BOTH, _FOCUS = 2, frozenset({"even", "also", "still"})


@dataclass(frozen=True, slots=True)
class Objection:
    """How strongly something speaks against a claim (0 not at all), and what it is."""

    strength: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A claim beside the passage of an abstract that says most of it.

    `telling` are the claim's content words that are no numbers, `weights` what each of them counts (1 in sum),
    `within` the passage's words, `alike` the likeness of every word of the claim to every word of the abstract.
    """

    claim: Words
    telling: tuple[int, ...]
    weights: Vectors
    abstract: Words
    alike: Vectors
    passage: Passage
    within: tuple[int, ...]

    def context(self, number: int, other: int) -> float:
        """How well what stands around a word of the claim fits what stands around a word of the abstract, 0..1."""
        around = self.claim.around(number, _CONTEXT)
        there = self.abstract.around(other, _WIDER)
        if not around or not there:
            return 0.0
        return max(0.0, float(self.alike[around][:, there].max(axis=1).mean()))


def foreign(found: Comparison) -> Objection:
    """Too much of the claim is said nowhere in the abstract."""
    everywhere = range(len(found.abstract))
    missing = _PARAPHRASE - said(found.alike, found.weights, found.telling, everywhere)
    if missing <= 0:
        return Objection()
    best = found.alike[list(found.telling)].max(axis=1, initial=0.0)
    lacking = sorted(range(len(found.telling)), key=lambda each: -float((1 - best[each]) * found.weights[each]))
    words = dict.fromkeys(found.claim.written(found.telling[each]) for each in lacking[:_MOST_NAMED])
    return Objection(missing, f"no passage of the paper speaks of {', '.join(words)}")


def unnamed(found: Comparison, title: str) -> Objection:
    """The claim names something that paper does not."""
    known = f"{title}\n{found.abstract.text}"
    own = names(found.claim.text)
    absent = [name for name in own if not speaks_of(known, name)]
    if absent:
        return Objection(1.0, f"no passage of the paper speaks of {', '.join(absent[:_MOST_NAMED])}")
    return _renamed(found, own)


def _renamed(found: Comparison, own: Sequence[str]) -> Objection:
    """The claim names one thing where the passage, in the same words around it, names another."""
    theirs = {name for name in names(found.abstract.text) if not speaks_of(found.claim.text, name)}
    for number in found.claim.content():
        name = found.claim.written(number)
        if name not in own or speaks_of(found.passage.text, name):
            continue
        there = [other for other in found.within if found.abstract.written(other) in theirs]
        if any(_neighbours(found, number, other) == _BOTH for other in there):
            return Objection(1.0, f"the passage says this of something else than {name}")
    return Objection()


def _neighbours(found: Comparison, number: int, other: int) -> int:
    """How many of the two words beside a word of the claim also stand beside one of the abstract, on the same side."""
    here, there = found.claim, found.abstract
    return sum(
        0 <= number + side < len(here)
        and 0 <= other + side < len(there)
        and here.lower(number + side) == there.lower(other + side)
        for side in (-1, 1)
    )


def number(found: Comparison) -> Objection:
    """A number of the claim is another one in the abstract, belongs to something else there, or is missing."""
    claimed, known = quantities(found.claim.text), quantities(found.abstract.text)
    others = [each for each in known if not any(same(each, one) for one in claimed)]
    objections = (_number(found, each, known, others) for each in claimed)
    return max(objections, key=lambda each: each.strength, default=Objection())


def _number(found: Comparison, claimed: Quantity, known: Sequence[Quantity], others: Sequence[Quantity]) -> Objection:
    rivals = [each for each in others if each.unit == claimed.unit]
    fit = max((_fit(found, claimed, each) for each in rivals), default=0.0)
    own = [_fit(found, claimed, each) for each in known if same(claimed, each)]
    if own and all(_bounded_otherwise(found, claimed, each) for each in known if same(claimed, each)):
        return Objection(1.0, f"the paper sets the other bound at {claimed.text.strip()}")
    if own:
        misplaced = fit - max(own) > _BETTER
        return Objection(float(misplaced), f"the paper says {claimed.text.strip()} of something else")
    if fit < _EXACTLY and (claimed.counts or follows(claimed, found.claim.text, known)):
        return Objection()
    return Objection(1.0 if rivals else _MISSING, f"{claimed.text.strip()} is not in the paper")


def _bounded_otherwise(found: Comparison, claimed: Quantity, known: Quantity) -> bool:
    return bound(claimed, found.claim.text) * bound(known, found.abstract.text) < 0


def _fit(found: Comparison, claimed: Quantity, known: Quantity) -> float:
    here = found.claim.within(claimed.start, claimed.end)
    there = found.abstract.within(known.start, known.end)
    return found.context(here[0], there[0]) if here and there else 0.0


def opposed(found: Comparison, directions: Mapping[str, tuple[str, int]]) -> Objection:
    """A word of direction stands against its opposite in the passage."""
    there = [pole for pole in poles(found.abstract, directions) if pole.number in found.within]
    here = poles(found.claim, directions)
    worst = Objection()
    for pole in here:
        fits = [(_match(found, pole, each), each) for each in there if each.axis == pole.axis]
        free = [pair for pair in fits if not _is_taken(found, pair[1], here, pair[0])]
        fit, nearest = max(free, key=lambda pair: pair[0], default=(0.0, pole))
        if nearest.side != pole.side and fit - _TURNED > worst.strength:
            says, claims = found.abstract.lower(nearest.number), found.claim.lower(pole.number)
            worst = Objection(fit - _TURNED, _turned(says, claims))
    return worst


def _match(found: Comparison, pole: Pole, there: Pole) -> float:
    """How well a word of direction fits the place of another one, 0..1."""
    alike = max(0.0, float(found.alike[pole.number, there.number]))
    return (found.context(pole.number, there.number) + alike) / 2


def _is_taken(found: Comparison, there: Pole, here: Sequence[Pole], fit: float) -> bool:
    """Whether the same word of the claim, on the same side, has a better right to the passage's word."""
    stem = found.abstract.stems[there.number]
    return any(
        found.claim.stems[each.number] == stem and each.side == there.side and _match(found, each, there) > fit
        for each in here
    )


def _turned(says: str, claims: str) -> str:
    if says == claims:
        return f"only one of the two negates {says!r}"
    return f"the passage says {says!r}, the claim {claims!r}"


def denied(found: Comparison) -> Objection:
    """The claim denies what the passage says, or says what it denies."""
    worst = Objection()
    for each in found.telling:
        alike = [word for word in found.within if found.alike[each, word] >= _ALIKE]
        if not alike or is_negation(found.claim, each) or found.claim.lower(each) in _FOCUS:
            continue
        there = max(alike, key=lambda word: _place(found, each, word))
        mine = is_negated(found.claim, each) and not may_be_negated(found.abstract, there)
        its = is_negated(found.abstract, there) and not may_be_negated(found.claim, each)
        strength = _place(found, each, there) - _DENIED
        if mine != its and strength > worst.strength:
            denying, saying = ("claim", "passage") if mine else ("passage", "claim")
            worst = Objection(strength, f"the {denying} denies {found.claim.lower(each)!r}, the {saying} does not")
    return max(worst, _denied_outright(found), key=lambda each: each.strength)


def _denied_outright(found: Comparison) -> Objection:
    """The claim says `not`, and nothing in the passage says anything of the kind."""
    if not denials(found.claim) or has_doubt(found.abstract, found.within):
        return Objection()
    return Objection(_OUTRIGHT, "the claim denies something, the passage does not")


def _place(found: Comparison, number: int, there: int) -> float:
    return float(found.alike[number, there]) * found.context(number, there)


def overstated(found: Comparison) -> Objection:
    """The claim allows no exception, or says that something is shown, where the paper is more careful."""
    known = absolutes(found.abstract)
    claimed = [word for word in absolutes(found.claim) if word not in known]
    if claimed:
        return Objection(1.0, f"the paper does not go as far as {claimed[0]!r}")
    whole = range(len(found.claim))
    shown = proof(found.claim, whole)
    careful = is_careful(found.abstract, found.within) and not is_careful(found.claim, whole)
    if shown and careful and not proof(found.abstract, found.within):
        return Objection(1.0, f"the claim says {shown!r}, the passage is more careful")
    return Objection()

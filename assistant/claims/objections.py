"""What speaks against a claim, found by comparing it with the passage of an abstract that says most of it.

Each objection has a strength, 0 where there is nothing to object, and a reason that a person understands. How much
each kind weighs is fitted (`assistant.claims.judge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.claims.names import names, speaks_of
from assistant.claims.polarity import Pole, absolutes, is_careful, is_negated, is_negation, may_be_negated, poles, proof
from assistant.claims.quantities import Quantity, follows, quantities, same
from assistant.claims.wording import Words, said
from assistant.schema import Passage

if TYPE_CHECKING:
    from assistant.ports import Vectors

# Share of a claim that an honest paraphrase still has in the abstract.
_PARAPHRASE = 0.72
# Likeness from which a word says the same; fit of a word and its context from which it counts as turned, as denied.
_ALIKE, _TURNED, _DENIED = 0.7, 0.4, 0.6
# Words on each side that are a word's context in the claim, and in the abstract.
_CONTEXT, _WIDER = 10, 12
# How much better another number of the abstract must fit the place of a claim's, and when it fits exactly.
_BETTER, _EXACTLY = 0.25, 0.9
# A number that the abstract lacks, with no other in its place.
_MISSING = 0.5
_MOST_NAMED = 3


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
    absent = [name for name in names(found.claim.text) if not speaks_of(known, name)]
    if not absent:
        return Objection()
    return Objection(1.0, f"no passage of the paper speaks of {', '.join(absent[:_MOST_NAMED])}")


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
    if own:
        misplaced = fit - max(own) > _BETTER
        return Objection(float(misplaced), f"the paper says {claimed.text.strip()} of something else")
    if fit < _EXACTLY and (claimed.counts or follows(claimed, found.claim.text, known)):
        return Objection()
    return Objection(1.0 if rivals else _MISSING, f"{claimed.text.strip()} is not in the paper")


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
        if not alike or is_negation(found.claim, each):
            continue
        there = max(alike, key=lambda word: _place(found, each, word))
        mine = is_negated(found.claim, each) and not may_be_negated(found.abstract, there)
        its = is_negated(found.abstract, there) and not may_be_negated(found.claim, each)
        strength = _place(found, each, there) - _DENIED
        if mine != its and strength > worst.strength:
            denying, saying = ("claim", "passage") if mine else ("passage", "claim")
            worst = Objection(strength, f"the {denying} denies {found.claim.lower(each)!r}, the {saying} does not")
    return worst


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

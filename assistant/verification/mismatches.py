"""Detect how a claim differs from the passage that expresses most of it.

Each mismatch has a strength, 0 where there is none, and a reason for the reader. The weight of each kind is fitted
(`assistant.verification.support`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.verification.alignment import ClaimAlignment
from assistant.verification.polarity import (
    Pole,
    absolutes,
    denials,
    find_poles,
    first_proof_word,
    has_doubt,
    is_hedged,
    is_negated,
    is_negation,
    may_be_negated,
)
from assistant.verification.proper_names import mentions, names
from assistant.verification.quantities import Quantity, are_equal, bound_side, is_derivable
from assistant.verification.tokenized_text import coverage

# Share of a claim that an honest paraphrase still has in the abstract.
_PARAPHRASE = 0.72
# Similarity from which two words say the same; fit of a word and its context from which it counts as an antonym, and
# as negated.
_SAME_WORD, _ANTONYM_FIT, _NEGATION_FIT = 0.7, 0.4, 0.5
# How much better another number of the abstract must fit the position of the claim's, and when it fits exactly.
_BETTER_FIT, _EXACT_FIT = 0.25, 0.9
# Strength of a number that the abstract lacks, with no other number in its position.
_ABSENT_NUMBER = 0.5
# Strength of a denial in the claim where the passage has none.
_BARE_DENIAL = 0.25
_MAX_NAMED = 3
# Both neighbours of a word; words that only set a tone.
_BOTH_NEIGHBOURS, _FOCUS = 2, frozenset({"even", "also", "still"})


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How strongly something speaks against a claim (0 not at all), and what it is."""

    strength: float = 0.0
    reason: str = ""


def missing_content(alignment: ClaimAlignment) -> Mismatch:
    """Detect that too much of the claim is expressed nowhere in the abstract."""
    claim, cosines = alignment.claim, alignment.cosines
    missing = _PARAPHRASE - coverage(cosines, claim.weights, claim.content, range(len(alignment.abstract.words)))
    if missing <= 0:
        return Mismatch()
    best = cosines[list(claim.content)].max(axis=1, initial=0.0)
    by_loss = sorted(range(len(claim.content)), key=lambda row: -float((1 - best[row]) * claim.weights[row]))
    words = dict.fromkeys(claim.words.surface(claim.content[row]) for row in by_loss[:_MAX_NAMED])
    return Mismatch(missing, f"no passage of the paper mentions {', '.join(words)}")


def missing_name(alignment: ClaimAlignment, title: str) -> Mismatch:
    """Detect a name in the claim that neither title nor abstract mentions, or that the passage says of another."""
    reference = f"{title}\n{alignment.abstract.text}"
    claimed = names(alignment.claim.statement)
    absent = [name for name in claimed if not mentions(reference, name)]
    if absent:
        return Mismatch(1.0, f"no passage of the paper mentions {', '.join(absent[:_MAX_NAMED])}")
    return _replaced_name(alignment, claimed)


def _replaced_name(alignment: ClaimAlignment, claimed: Sequence[str]) -> Mismatch:
    """Detect that the passage has another name than the claim between the same two words."""
    words, abstract = alignment.claim.words, alignment.abstract.words
    others = {name for name in names(abstract.text) if not mentions(words.text, name)}
    for index in words.content_words():
        name = words.surface(index)
        if name not in claimed or mentions(alignment.passage.text, name):
            continue
        rivals = [word for word in alignment.passage_words if abstract.surface(word) in others]
        if any(_shared_neighbours(alignment, index, rival) == _BOTH_NEIGHBOURS for rival in rivals):
            return Mismatch(1.0, f"the passage says this about something other than {name}")
    return Mismatch()


def _shared_neighbours(alignment: ClaimAlignment, claim_word: int, abstract_word: int) -> int:
    """Count the neighbours of a claim word that an abstract word has on the same side, 0..2."""
    claim, abstract = alignment.claim.words, alignment.abstract.words
    return sum(
        0 <= claim_word + side < len(claim)
        and 0 <= abstract_word + side < len(abstract)
        and claim.lower(claim_word + side) == abstract.lower(abstract_word + side)
        for side in (-1, 1)
    )


def wrong_number(alignment: ClaimAlignment) -> Mismatch:
    """Detect a number that differs in the abstract, belongs to something else there, or is missing."""
    claimed, reference = alignment.claim.quantities, alignment.abstract.quantities
    others = [number for number in reference if not any(are_equal(number, candidate) for candidate in claimed)]
    detected = (_number_mismatch(alignment, number, others) for number in claimed)
    return max(detected, key=lambda mismatch: mismatch.strength, default=Mismatch())


def _number_mismatch(alignment: ClaimAlignment, claimed: Quantity, others: Sequence[Quantity]) -> Mismatch:
    """Compare one number of the claim with the abstract; `others` are those that the claim does not have."""
    reference, text = alignment.abstract.quantities, claimed.text.strip()
    rivals = [number for number in others if number.unit == claimed.unit]
    rival_fit = max((_number_fit(alignment, claimed, number) for number in rivals), default=0.0)
    equal = [number for number in reference if are_equal(claimed, number)]
    if equal and all(_has_opposite_bound(alignment, claimed, number) for number in equal):
        return Mismatch(1.0, f"the paper gives {text} as the opposite bound")
    if equal:
        fit = max(_number_fit(alignment, claimed, number) for number in equal)
        return Mismatch(float(rival_fit - fit > _BETTER_FIT), f"the paper gives {text} for something else")
    if rival_fit < _EXACT_FIT and (claimed.is_count or is_derivable(claimed, alignment.claim.statement, reference)):
        return Mismatch()
    return Mismatch(1.0 if rivals else _ABSENT_NUMBER, f"{text} is not in the paper")


def _has_opposite_bound(alignment: ClaimAlignment, claimed: Quantity, reference: Quantity) -> bool:
    return bound_side(claimed, alignment.claim.statement) * bound_side(reference, alignment.abstract.text) < 0


def _number_fit(alignment: ClaimAlignment, claimed: Quantity, reference: Quantity) -> float:
    claim_words = alignment.claim.words.starting_in(claimed.start, claimed.end)
    abstract_words = alignment.abstract.words.starting_in(reference.start, reference.end)
    return alignment.context_fit(claim_words[0], abstract_words[0]) if claim_words and abstract_words else 0.0


def antonym(alignment: ClaimAlignment, axes: Mapping[str, tuple[str, int]]) -> Mismatch:
    """Detect a word of direction in the claim that stands against its opposite in the passage."""
    theirs = [pole for pole in find_poles(alignment.abstract.words, axes) if pole.word in alignment.passage_words]
    ours = find_poles(alignment.claim.words, axes)
    worst = Mismatch()
    for pole in ours:
        same_axis = (candidate for candidate in theirs if candidate.axis == pole.axis)
        fits = [(_pole_fit(alignment, pole, candidate), candidate) for candidate in same_axis]
        free = [(fit, candidate) for fit, candidate in fits if not _is_taken(alignment, candidate, ours, fit)]
        fit, nearest = max(free, key=lambda pair: pair[0], default=(0.0, pole))
        if nearest.side != pole.side and fit - _ANTONYM_FIT > worst.strength:
            worst = Mismatch(fit - _ANTONYM_FIT, _antonym_reason(alignment, pole, nearest))
    return worst


def _pole_fit(alignment: ClaimAlignment, ours: Pole, theirs: Pole) -> float:
    """Measure how well a word of direction fits the position of another one, 0..1."""
    cosine = max(0.0, float(alignment.cosines[ours.word, theirs.word]))
    return (alignment.context_fit(ours.word, theirs.word) + cosine) / 2


def _is_taken(alignment: ClaimAlignment, theirs: Pole, ours: Sequence[Pole], fit: float) -> bool:
    """Tell whether the same word of the claim, on the same side, fits the passage's word better."""
    stem, stems = alignment.abstract.words.stems[theirs.word], alignment.claim.words.stems
    return any(
        stems[pole.word] == stem and pole.side == theirs.side and _pole_fit(alignment, pole, theirs) > fit
        for pole in ours
    )


def _antonym_reason(alignment: ClaimAlignment, ours: Pole, theirs: Pole) -> str:
    passage_word, claim_word = alignment.abstract.words.lower(theirs.word), alignment.claim.words.lower(ours.word)
    if passage_word == claim_word:
        return f"either the claim or the passage negates {passage_word!r}, but not both"
    return f"the passage says {passage_word!r}, but the claim says {claim_word!r}"


def negation(alignment: ClaimAlignment) -> Mismatch:
    """Detect that the claim denies what the passage says, or says what it denies."""
    detected = [_negated_word(alignment, word) for word in alignment.claim.content]
    return max((*detected, _bare_denial(alignment)), key=lambda mismatch: mismatch.strength)


def _negated_word(alignment: ClaimAlignment, word: int) -> Mismatch:
    """Detect that just one of the texts negates a word of the claim."""
    claim, abstract = alignment.claim.words, alignment.abstract.words
    same = [candidate for candidate in alignment.passage_words if alignment.cosines[word, candidate] >= _SAME_WORD]
    if not same or is_negation(claim, word) or claim.lower(word) in _FOCUS:
        return Mismatch()
    nearest = max(same, key=lambda candidate: _word_fit(alignment, word, candidate))
    in_claim = is_negated(claim, word) and not may_be_negated(abstract, nearest)
    in_passage = is_negated(abstract, nearest) and not may_be_negated(claim, word)
    strength = _word_fit(alignment, word, nearest) - _NEGATION_FIT
    if in_claim == in_passage or strength <= 0:
        return Mismatch()
    denying, saying = ("claim", "passage") if in_claim else ("passage", "claim")
    return Mismatch(strength, f"the {denying} denies {claim.lower(word)!r}, but the {saying} does not")


def _bare_denial(alignment: ClaimAlignment) -> Mismatch:
    """Detect that the claim denies something while the passage expresses no doubt at all."""
    if not denials(alignment.claim.words) or has_doubt(alignment.abstract.words, alignment.passage_words):
        return Mismatch()
    return Mismatch(_BARE_DENIAL, "the claim denies something that the passage does not deny")


def _word_fit(alignment: ClaimAlignment, claim_word: int, abstract_word: int) -> float:
    return float(alignment.cosines[claim_word, abstract_word]) * alignment.context_fit(claim_word, abstract_word)


def overclaim(alignment: ClaimAlignment) -> Mismatch:
    """Detect that the claim allows no exception, or says that something is shown, where the paper is cautious."""
    claim, abstract = alignment.claim.words, alignment.abstract.words
    reference = absolutes(abstract)
    claimed = [word for word in absolutes(claim) if word not in reference]
    if claimed:
        return Mismatch(1.0, f"the paper does not go as far as {claimed[0]!r}")
    all_words = range(len(claim))
    proof = first_proof_word(claim, all_words)
    more_cautious = is_hedged(abstract, alignment.passage_words) and not is_hedged(claim, all_words)
    if proof and more_cautious and not first_proof_word(abstract, alignment.passage_words):
        return Mismatch(1.0, f"the claim says {proof!r}, but the passage is more cautious")
    return Mismatch()

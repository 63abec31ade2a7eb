"""Compare the numbers of a claim with those of an abstract: the one thing about a claim that a grammar can decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.verification.quantities import Quantity, are_equal, bound_side, is_derivable, quantities

# Strength of a number that the abstract lacks, where it has no other of the same unit.
_ABSENT = 0.5


@dataclass(frozen=True, slots=True)
class NumberMismatch:
    """How strongly a number speaks against a claim, 0 (not at all) to 1, and what is wrong with it.

    One `in_words` is often another's figure in a paraphrase: "one in seventeen".
    """

    strength: float = 0.0
    reason: str = ""
    in_words: bool = False


def number_mismatch(claim: str, abstract: str) -> NumberMismatch:
    """Return the worst mismatch of a number of the claim with the abstract."""
    claimed, reference = quantities(claim), quantities(abstract)
    mismatches = (_mismatch(number, claim, abstract, reference) for number in claimed)
    return max(mismatches, key=lambda mismatch: (mismatch.strength, not mismatch.in_words), default=NumberMismatch())


def _mismatch(claimed: Quantity, claim: str, abstract: str, reference: Sequence[Quantity]) -> NumberMismatch:
    text = claimed.text.strip()
    equal = [number for number in reference if are_equal(claimed, number)]
    if equal:
        is_opposite = all(bound_side(claimed, claim) * bound_side(number, abstract) < 0 for number in equal)
        return NumberMismatch(1.0, f"the paper gives {text} as the opposite bound") if is_opposite else NumberMismatch()
    if claimed.is_count or is_derivable(claimed, claim, reference):
        return NumberMismatch()
    has_rival = any(number.unit == claimed.unit for number in reference)
    return NumberMismatch(1.0 if has_rival else _ABSENT, f"{text} is not in the paper", not claimed.in_digits)

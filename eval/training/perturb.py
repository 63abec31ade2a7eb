"""Perturb true claims by rule: change one word so that they become false, or paraphrase them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from assistant.verification.proper_names import names

_ANTONYM_PAIRS = (
    ("increases", "decreases"),
    ("increase", "decrease"),
    ("increased", "decreased"),
    ("higher", "lower"),
    ("high", "low"),
    ("more", "less"),
    ("larger", "smaller"),
    ("large", "small"),
    ("longer", "shorter"),
    ("better", "worse"),
    ("best", "worst"),
    ("improves", "degrades"),
    ("improve", "degrade"),
    ("outperforms", "underperforms"),
    ("outperform", "underperform"),
    ("faster", "slower"),
    ("stronger", "weaker"),
    ("strong", "weak"),
    ("easier", "harder"),
    ("with", "without"),
    ("promotes", "inhibits"),
    ("induces", "prevents"),
    ("activates", "suppresses"),
    ("positively", "negatively"),
    ("before", "after"),
    ("same", "different"),
)
_ANTONYMS = dict(_ANTONYM_PAIRS) | {second: first for first, second in _ANTONYM_PAIRS}
# Paraphrases in the words of a person who reports about the paper.
_PARAPHRASES = (
    (r"\b[Ww]e (?=\w)", "they "),
    (r"\b[Oo]ur\b", "their"),
    (r"(?<=\d) ?\\?%", " percent"),
    (r"\bshow that\b", "demonstrate that"),
    (r"\bpropose\b", "put forward"),
    (r"\buse\b", "employ"),
    (r"\bsignificantly\b", "considerably"),
    (r"\bimproves\b", "raises"),
    (r"\bhowever,? ", ""),
)
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|does|do|has|have|will|may)\b(?! not)")


def perturbations(claim: str, claims: Sequence[str], random: Random) -> dict[str, str]:
    """Return false versions of the claim by kind of error, of all kinds that its words allow.

    `claims` are sentences from which a name may be borrowed.
    """
    versions = {
        "number": _change_number(claim, random),
        "direction": _reverse_direction(claim, random),
        "negation": _negate(claim),
        "dataset": _exchange_name(claim, claims, random),
        "over-claim": _AUXILIARY.sub(r"\1 always", claim, count=1),
    }
    return {kind: text for kind, text in versions.items() if text != claim}


def paraphrase(claim: str) -> str:
    """Paraphrase the claim as a report about the authors, partly in other words."""
    lower = claim[1:2].islower() or claim[1:2] == " "
    text = claim[:1].lower() + claim[1:] if lower else claim
    for pattern, replacement in _PARAPHRASES:
        text = re.sub(pattern, replacement, text)
    return f"The authors report that {text}"


def _change_number(claim: str, random: Random) -> str:
    numbers = list(re.finditer(r"(?<![\w.-])\d+(?:\.\d+)?", claim))
    if not numbers:
        return claim
    number = random.choice(numbers)
    digits = number.group()
    position = random.randrange(len(digits))
    if digits[position] == ".":
        position -= 1
    digit = random.choice([digit for digit in "123456789" if digit != digits[position]])
    return claim[: number.start() + position] + digit + claim[number.start() + position + 1 :]


def _reverse_direction(claim: str, random: Random) -> str:
    words = [word for word in re.finditer(r"\w+", claim) if word.group() in _ANTONYMS]
    if not words:
        return claim
    word = random.choice(words)
    return claim[: word.start()] + _ANTONYMS[word.group()] + claim[word.end() :]


def _negate(claim: str) -> str:
    """Remove the first `not`, or insert one."""
    without = re.sub(r"\bnot ", "", claim, count=1)
    return without if without != claim else _AUXILIARY.sub(r"\1 not", claim, count=1)


def _exchange_name(claim: str, claims: Sequence[str], random: Random) -> str:
    claim_names = names(claim)
    foreign_names = [name for text in claims for name in names(text) if name not in claim]
    if not claim_names or not foreign_names:
        return claim
    return claim.replace(random.choice(claim_names), random.choice(foreign_names), 1)

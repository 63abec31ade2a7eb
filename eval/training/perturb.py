"""True claims made wrong by rule, a word at a time, or said in other words: what a check has to notice, or to pass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from assistant.verification.proper_names import names

_CONTRARIES = (
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
_CONTRARY = dict(_CONTRARIES) | {second: first for first, second in _CONTRARIES}
# The same in other words, as somebody would say it who tells of the paper.
_RETOLD = (
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


def wrong(claim: str, others: Sequence[str], random: Random) -> dict[str, str]:
    """The claim made wrong in each way that it lends itself to; `others` are claims to borrow a name from."""
    made = {
        "number": _other_number(claim, random),
        "direction": _contrary(claim, random),
        "negation": _negated(claim),
        "dataset": _renamed(claim, others, random),
        "over-claim": _AUXILIARY.sub(r"\1 always", claim, count=1),
    }
    return {kind: text for kind, text in made.items() if text != claim}


def retold(claim: str) -> str:
    """The same, as told of the authors and in some other words."""
    told = claim[:1].lower() + claim[1:] if claim[1:2].islower() or claim[1:2] == " " else claim
    for words, others in _RETOLD:
        told = re.sub(words, others, told)
    return f"The authors report that {told}"


def _other_number(claim: str, random: Random) -> str:
    found = list(re.finditer(r"(?<![\w.-])\d+(?:\.\d+)?", claim))
    if not found:
        return claim
    number = random.choice(found)
    digits = number.group()
    at = random.randrange(len(digits))
    if digits[at] == ".":
        at -= 1
    other = random.choice([digit for digit in "123456789" if digit != digits[at]])
    return claim[: number.start() + at] + other + claim[number.start() + at + 1 :]


def _contrary(claim: str, random: Random) -> str:
    found = [word for word in re.finditer(r"\w+", claim) if word.group() in _CONTRARY]
    if not found:
        return claim
    word = random.choice(found)
    return claim[: word.start()] + _CONTRARY[word.group()] + claim[word.end() :]


def _negated(claim: str) -> str:
    """Without its `not`, or with one."""
    shorter = re.sub(r"\bnot ", "", claim, count=1)
    return shorter if shorter != claim else _AUXILIARY.sub(r"\1 not", claim, count=1)


def _renamed(claim: str, others: Sequence[str], random: Random) -> str:
    own = names(claim)
    borrowed = [name for other in others for name in names(other) if name not in claim]
    if not own or not borrowed:
        return claim
    return claim.replace(random.choice(own), random.choice(borrowed), 1)

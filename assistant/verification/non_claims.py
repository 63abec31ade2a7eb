"""Sentences that state nothing to be cited: questions, headings, courtesies, and that there is no answer."""

from __future__ import annotations

import re

_SAYS = (
    r"(?:answer|address|mention|state|say|specify|discuss|provide|contain|include|report|give|cover|describe|explain"
    r"|offer|tell|indicate|comment)"
)
_NOT = r"(?:do(?:es)?\s+not|don['’]t|doesn['’]t|did\s+not|cannot|can['’]t)"
_TEXTS = r"(?:abstracts?|papers?|sources?|documents?|passages?|texts?|context|library|studies)"
_NO_ANSWER = re.compile(
    r"(?:(?:however|unfortunately|sorry|i['’]m sorry|based on [^,.]{1,60}|from [^,.]{1,60}),?\s+(?:but\s+)?)?(?:"
    rf"(?:the|these|those)\s+(?:\w+\s+){{0,3}}?{_TEXTS}\s+(?:\w+\s+){{0,3}}?{_NOT}\s+(?:\w+ly\s+)?{_SAYS}\b"
    rf"|(?:none|neither)\s+of\s+(?:the|these|those)\s+(?:\w+\s+){{0,2}}{_TEXTS}\s+(?:\w+ly\s+)?{_SAYS}"
    rf"|no\s+(?:\w+\s+)?{_TEXTS}\s+(?:\w+\s+){{0,2}}{_SAYS}"
    rf"|the\s+(?:\w+\s+){{0,3}}?{_TEXTS}\s+(?:contains?|provides?|gives?|offers?|includes?)\s+no\b"
    r"|i\s+(?:cannot|can['’]t|could\s+not|couldn['’]t|am\s+(?:unable|not\s+able)\s+to|was\s+unable\s+to)\s+"
    r"(?:answer|find|determine|say|help|tell|provide|share|comply|do)\b"
    r"|there\s+(?:is|are)\s+(?:no|not\s+enough|insufficient)\s+(?:\w+\s+)?(?:information|evidence|mention|answer|details?)\b"
    r"|(?:this|the\s+question|it)\s+(?:cannot|can['’]t)\s+be\s+(?:answered|determined)\b"
    r")",
    re.IGNORECASE,
)
# What would state something beside it.
_MORE = re.compile(
    r"\d|[;:]|\b(?:but|although|though|while|yet|whereas|except|because|instead|nevertheless)\b", re.IGNORECASE
)
_COURTESY = re.compile(
    r"(?:sure|certainly|of course|okay|thank you|thanks|i hope (?:this|that) helps|let me know if\b.*"
    r"|in (?:summary|short|conclusion))\W*",
    re.IGNORECASE,
)
_LONGEST_LEAD_IN = 12


def denies_answer(sentence: str) -> bool:
    """Whether it says that the abstracts do not answer, and nothing else."""
    found = _NO_ANSWER.match(sentence)
    return bool(found) and not _MORE.search(sentence, found.end() if found else 0)


def states_nothing(sentence: str) -> bool:
    """Whether it has nothing to be cited for."""
    bare = sentence.strip(" \t*_\"'“”")
    words = re.findall(r"\w+", bare)
    lead_in = bare.endswith(":") and len(words) <= _LONGEST_LEAD_IN
    asks = bare.endswith("?")
    return len(words) < 2 or lead_in or asks or bare.startswith("#") or bool(_COURTESY.fullmatch(bare))

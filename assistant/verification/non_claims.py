"""Detect sentences that need no citation: questions, headings, courtesies, and denials of an answer."""

from __future__ import annotations

import re

_REPORTS = (
    r"(?:answer|address|mention|state|say|specify|discuss|provide|contain|include|report|give|cover|describe|explain"
    r"|offer|tell|indicate|comment)"
)
_NOT = r"(?:do(?:es)?\s+not|don['’]t|doesn['’]t|did\s+not|cannot|can['’]t)"
_TEXTS = r"(?:abstracts?|papers?|sources?|documents?|passages?|texts?|context|library|studies)"
_NO_ANSWER = re.compile(
    r"(?:(?:however|unfortunately|sorry|i['’]m sorry|based on [^,.]{1,60}|from [^,.]{1,60}),?\s+(?:but\s+)?)?(?:"
    rf"(?:the|these|those)\s+(?:\w+\s+){{0,3}}?{_TEXTS}\s+(?:\w+\s+){{0,3}}?{_NOT}\s+(?:\w+ly\s+)?{_REPORTS}\b"
    rf"|(?:none|neither)\s+of\s+(?:the|these|those)\s+(?:\w+\s+){{0,2}}{_TEXTS}\s+(?:\w+ly\s+)?{_REPORTS}"
    rf"|no\s+(?:\w+\s+)?{_TEXTS}\s+(?:\w+\s+){{0,2}}{_REPORTS}"
    rf"|the\s+(?:\w+\s+){{0,3}}?{_TEXTS}\s+(?:contains?|provides?|gives?|offers?|includes?)\s+no\b"
    r"|i\s+(?:cannot|can['’]t|could\s+not|couldn['’]t|am\s+(?:unable|not\s+able)\s+to|was\s+unable\s+to)\s+"
    r"(?:answer|find|determine|say|help|tell|provide|share|comply|do)\b"
    r"|there\s+(?:is|are)\s+(?:no|not\s+enough|insufficient)\s+(?:\w+\s+)?(?:information|evidence|mention|answer|details?)\b"
    r"|(?:this|the\s+question|it)\s+(?:cannot|can['’]t)\s+be\s+(?:answered|determined)\b"
    r")",
    re.IGNORECASE,
)
# Signs of a further statement in the same sentence.
_FURTHER = re.compile(
    r"\d|[;:]|\b(?:but|although|though|while|yet|whereas|except|because|instead|nevertheless)\b", re.IGNORECASE
)
_COURTESY = re.compile(
    r"(?:sure|certainly|of course|okay|thank you|thanks|i hope (?:this|that) helps|let me know if\b.*"
    r"|in (?:summary|short|conclusion))\W*",
    re.IGNORECASE,
)
# Words of a lead-in to a list.
_MAX_LEAD_IN_WORDS = 12


def denies_answer(sentence: str) -> bool:
    """Tell whether the sentence says that the abstracts do not answer, and nothing else."""
    match = _NO_ANSWER.match(sentence)
    return match is not None and not _FURTHER.search(sentence, match.end())


def states_nothing(sentence: str) -> bool:
    """Tell whether the sentence makes no statement that a source could support."""
    bare = sentence.strip(" \t*_\"'“”")
    words = re.findall(r"\w+", bare)
    is_lead_in = bare.endswith(":") and len(words) <= _MAX_LEAD_IN_WORDS
    is_question = bare.endswith("?")
    return len(words) < 2 or is_lead_in or is_question or bare.startswith("#") or bool(_COURTESY.fullmatch(bare))

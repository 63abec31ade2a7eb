"""Find identifiers that a claim has and a paper lacks, such as GPT-4o, ManiSkill and DMC, by their spelling."""

from __future__ import annotations

import re

# A run of letters and digits, joined by hyphens, that has a capital behind its first character, or digits and letters.
_IDENTIFIER = re.compile(r"(?<![\w.,])(?=\w*-?\w*(?:[^\W\d_][A-Z]|[A-Z]-?\d|[^\W\d_]\d|\d[A-Z]))\w+(?:-\w+)*(?!\w)")


def absent_identifiers(claim: str, paper_text: str) -> list[str]:
    """Return the identifiers of the claim that the text of the paper does not have, in any case or plural, in order."""
    stated = _folded(paper_text)
    identifiers = dict.fromkeys(match.group() for match in _IDENTIFIER.finditer(claim))
    return [identifier for identifier in identifiers if _folded(identifier).removesuffix("s") not in stated]


def _folded(text: str) -> str:
    """Return the letters and digits of a text, in lower case: GPT-4o and GPT 4o are the same."""
    return "".join(character for character in text.casefold() if character.isalnum())

"""Split a claim into the statements that it joins, each of which must hold."""

from __future__ import annotations

import re

# What joins statements: a semicolon, or a comma with a conjunction.
_JOINT = re.compile(r"\s*;\s+|,\s+(?:and|but|while|whereas|yet)\s+", re.IGNORECASE)
# Words of a part: a shorter one is an item of a list rather than a statement.
_MIN_WORDS = 4


def split(claim: str, min_words: int = _MIN_WORDS) -> tuple[str, ...]:
    """Return the statements that the claim joins, in order; none where it makes only one."""
    parts = tuple(part.strip() for part in _JOINT.split(claim))
    is_joined = len(parts) > 1 and all(len(part.split()) >= min_words for part in parts)
    return parts if is_joined else ()

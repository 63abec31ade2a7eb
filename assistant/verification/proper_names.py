"""Named things of a text: datasets, models, methods, places; and whether another text speaks of them."""

from __future__ import annotations

import re

_NAME = re.compile(r"[^\W_][\w@.+'’/-]*")
_PIECE = re.compile(r"[^\W_]+")
# A name this long may be part of a longer word of the other text; initials are no longer than this.
_LONG, _LONGEST_INITIALS = 4, 6


def names(text: str) -> list[str]:
    """Words with a capital within a sentence, with capitals or digits inside, each once."""
    found = (_bare(match.group()) for match in _NAME.finditer(text) if _is_name(_bare(match.group()), match, text))
    return list(dict.fromkeys(found))


def speaks_of(text: str, name: str) -> bool:
    """Whether a text has the name, however it is joined, in the plural, or as the initials of its words."""
    pieces = [piece.casefold() for piece in _PIECE.findall(text)]
    joined, initials = "".join(pieces), "".join(piece[0] for piece in pieces)
    own = [piece.casefold() for piece in _PIECE.findall(name)]
    wanted = "".join(own)
    for form in (wanted, wanted.removesuffix("s")):
        if form in pieces or (len(form) >= _LONG and form in joined):
            return True
        if (
            form.isalpha()
            and 2 <= len(form) <= _LONGEST_INITIALS
            and name.removesuffix("s").isupper()
            and form in initials
        ):
            return True
    return len(own) > 1 and set(own) <= set(pieces)


def _bare(word: str) -> str:
    """The word without marks behind it and without a genitive's s."""
    return re.sub(r"['’]s$", "", word.rstrip(".'’-/+")).rstrip(".'’-/+")


def _is_name(word: str, match: re.Match[str], text: str) -> bool:
    if not word or not word[0].isalpha():
        return False
    if any(each.isupper() or each.isdigit() for each in word[1:]):
        return True
    return word[0].isupper() and len(word) > 1 and not _opens_sentence(text, match.start())


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip("\"'([“‘ \n\t")
    return not before or before[-1] in ".?!:"

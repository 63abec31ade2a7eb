"""Find the names in a text (datasets, models, methods, places), and tell whether another text mentions one."""

from __future__ import annotations

import re

from assistant.text.superscripts import RAISED_DIGITS, flatten_superscripts

_NAME = re.compile(r"[^\W_][\w@.+'’/-]*")
_PIECE = re.compile(r"[^\W_]+")
# From this length on a name may be part of a longer word of the other text; initials are at most this long.
_MIN_EMBEDDED, _MAX_INITIALS = 4, 6


def names(text: str) -> list[str]:
    """Return the words with a capital within a sentence, or with capitals or digits inside, without repetition."""
    words = ((_trim(match.group()), match.start()) for match in _NAME.finditer(text))
    return list(dict.fromkeys(word for word, start in words if _is_name(word, start, text)))


def mentions(text: str, name: str) -> bool:
    """Tell whether a text has the name, however it is joined, in the plural, or spelt out where it is an acronym."""
    if any(character in RAISED_DIGITS for character in name):
        text, name = flatten_superscripts(text), flatten_superscripts(name)
    pieces, pieces_of_name = _pieces(text), _pieces(name)
    joined, whole = "".join(pieces), "".join(pieces_of_name)
    for form in (whole, whole.removesuffix("s")):
        if form in pieces or (len(form) >= _MIN_EMBEDDED and form in joined):
            return True
        if _is_acronym(form, name) and form in "".join(piece[0] for piece in pieces):
            return True
    return len(pieces_of_name) > 1 and set(pieces_of_name) <= set(pieces)


def _pieces(text: str) -> list[str]:
    return [piece.casefold() for piece in _PIECE.findall(text)]


def _is_acronym(form: str, name: str) -> bool:
    return form.isalpha() and 2 <= len(form) <= _MAX_INITIALS and name.removesuffix("s").isupper()


def _trim(word: str) -> str:
    """Return the word without trailing punctuation and without a possessive ending."""
    return re.sub(r"['’]s$", "", word.rstrip(".'’-/+")).rstrip(".'’-/+")


def _is_name(word: str, start: int, text: str) -> bool:
    if not word or not word[0].isalpha():
        return False
    if any(character.isupper() or character.isdigit() for character in word[1:]):
        return True
    return word[0].isupper() and len(word) > 1 and not _opens_sentence(text, start)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip("\"'([“‘ \n\t")
    return not before or before[-1] in ".?!:"

"""Names that people give: of collections and tags. Two names are the same that differ in case or quotation marks only.

Quotation marks do not count because a filter is typed within them: `collection:"To read"`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

from assistant.errors import InputError
from assistant.text.printable import one_line

MAX_LENGTH = 100
# Names that an error suggests, and those that it lists where none is similar.
_MAX_SIMILAR, _MAX_LISTED = 3, 10
_SIMILARITY = 0.6
_QUOTES = re.compile('["“”]')


def clean_label(kind: str, name: str) -> str:
    """Return a name in one line, composed (NFC) and without control characters.

    Raises InputError, which calls it a name of this kind, where it is too long or nothing is left of it.
    """
    text = one_line(unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8")))
    if len(text) > MAX_LENGTH:
        raise InputError(kind, f"{len(text):,} characters are too many for a name (most: {MAX_LENGTH})")
    if not label_key(text):
        raise InputError(kind, "a name needs at least one character other than blanks and quotation marks")
    return text


def label_key(name: str) -> str:
    """Return what two names have in common that are the same."""
    return one_line(unicodedata.normalize("NFKC", unquoted(name)).casefold())


def unquoted(name: str) -> str:
    """Return a name as it can be typed between the quotation marks of a filter."""
    return " ".join(_QUOTES.sub("", name).split())


def similar_labels(name: str, names: Sequence[str]) -> str:
    """Return which of the names are similar to one that is not among them, as the end of an error."""
    similarity = {candidate: _similarity(label_key(name), label_key(candidate)) for candidate in names}
    similar = sorted((name for name in names if similarity[name] >= _SIMILARITY), key=similarity.__getitem__)
    if similar:
        return f"; perhaps {' or '.join(map(repr, similar[: -_MAX_SIMILAR - 1 : -1]))} was meant"
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    listed = ", ".join(map(repr, names[:_MAX_LISTED]))
    return f"; there are {listed}{more}" if names else "; there is none yet"


def _similarity(typed: str, key: str) -> float:
    """Return how similar a typed key is to another one or to the beginning of it, 0..1."""
    return max(difflib.SequenceMatcher(a=typed, b=part).ratio() for part in (key, key[: len(typed)]))

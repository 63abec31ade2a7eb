"""Match words, phrases and names, regardless of case, accents and punctuation."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import filterfalse


def contains_phrase(text: str | None, phrase: str) -> bool:
    """Return whether the words of the phrase stand in the text, one after the other."""
    folded, wanted = fold(text or ""), _cached_words(phrase)
    if not all(word in folded for word in wanted):  # most papers lack one, and this is quick to see
        return False
    return bool(_phrase_pattern(wanted).search(folded))


def has_author(authors: Sequence[str], name: str) -> bool:
    """Return whether an author has the name: a surname, both names in any order, or with initials."""
    return any(_has_name(words(author), _cached_words(name)) for author in authors)


def full_words(name: str) -> list[str]:
    """Return the words of a name that are more than initials: an author of the name has one of them."""
    return [word for word in _cached_words(name) if len(word) > 1]


def authors_contain(authors: str, phrase: str) -> bool:
    """Return whether the words of the phrase stand in an author's name; `authors` is a JSON list."""
    # Most papers are by somebody else: where no letter is escaped, that is clear before the JSON is parsed.
    if "\\" not in authors and not all(word in authors.lower() for word in _cached_words(phrase)):
        return False
    return contains_phrase("\n".join(json.loads(authors)), phrase)


def source_contains(sources: Sequence[str], part: str) -> bool:
    """Return whether the name of a source has this part."""
    return any(part.casefold() in source.casefold() for source in sources)


def surname(authors: Sequence[str]) -> str | None:
    """Return the last word of the first author's name, folded: the key that authors are sorted by."""
    first = words(authors[0]) if authors else ()
    return first[-1] if first else None


def fold(text: str) -> str:
    """Return the text in lower case, without accents."""
    if text.isascii():
        return text.lower()
    return "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text.casefold())))


def words(text: str) -> tuple[str, ...]:
    """Return the runs of letters and digits of a text, folded."""
    return tuple(re.findall(r"[^\W_]+", fold(text)))


# A value is compared with every paper of a library in turn.
_cached_words = lru_cache(maxsize=256)(words)


def _has_name(author: Sequence[str], name: Sequence[str]) -> bool:
    """Return whether every word of the name is one of the author's, or an initial of it, and one of them in full."""
    in_full = any(len(word) > 1 and word in author for word in name)
    return in_full and all(any(_abbreviates(word, part) for part in author) for word in name)


def _abbreviates(word: str, part: str) -> bool:
    return word == part or (min(len(word), len(part)) == 1 and word[0] == part[0])


@lru_cache(maxsize=256)
def _phrase_pattern(phrase: tuple[str, ...]) -> re.Pattern[str]:
    # The boundary before the first word is checked behind it: a pattern that begins with literal text is faster.
    first, *rest = map(re.escape, phrase or ("",))
    return re.compile(r"[\W_]+".join([rf"{first}(?<![^\W_]{first})", *rest]) + r"(?![^\W_])")

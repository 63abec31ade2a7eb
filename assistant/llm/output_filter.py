"""What a language model sends, as text that can be shown: without control characters, and without thinking aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.text.printable import printable

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Around what some models think before they answer, where their server does not take it out.
_OPENING, _CLOSING = "<think>", "</think>"


def spoken(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces without what is not meant to be read; a piece may be empty for it."""
    thoughts = _Thoughts()
    for piece in pieces:
        yield _readable(thoughts.without(piece))
    yield thoughts.left()


def _readable(text: str) -> str:
    return printable(_SURROGATE.sub("\ufffd", text.replace("\r", "")), keep="\n\t")


class _Thoughts:
    """Takes out what stands between the tags at the beginning of a reply; anywhere else they are text."""

    def __init__(self) -> None:
        self._held, self._over = "", False

    def without(self, piece: str) -> str:
        """What can be said of the pieces so far."""
        if self._over:
            return piece
        self._held += piece
        begun = self._held.lstrip()
        if begun.startswith(_OPENING):
            reply = begun.partition(_CLOSING)[2].lstrip()
            self._over = bool(reply)
            return reply
        if _OPENING.startswith(begun):
            return ""
        self._over = True
        return self._held

    def left(self) -> str:
        """What was held back in case it became a tag, and did not."""
        begun = self._held.lstrip()
        return "" if self._over or begun.startswith(_OPENING) else self._held

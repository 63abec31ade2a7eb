"""Text that comes from files, services and models, made safe to show."""

from __future__ import annotations

import unicodedata


def printable(text: str, keep: str = "\n", gap: str = "") -> str:
    r"""Return the text without characters that could command a terminal or turn the direction of writing.

    White space becomes a blank, invisible format characters vanish (they stand inside words), and every other
    character that cannot be printed becomes `gap`. The characters of `keep` stay: "\n" in text of several lines.
    """
    if text.isprintable():
        return text
    return "".join(character if character in keep else _shown(character, gap) for character in text)


def one_line(text: str) -> str:
    """Return the printable text in one line, with a single blank between words."""
    return " ".join(printable(text).split())


def _shown(character: str, gap: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) == "Cf" else gap


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]

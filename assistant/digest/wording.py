"""Word what the program itself says in an answer: its opening line."""

from __future__ import annotations

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def counted_papers(count: int, verb: str, verb_of_one: str) -> str:
    """Return the number of papers as the beginning of a sentence: "Three papers bear", "One paper bears"."""
    number = _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"
    return f"{number} {'paper' if count == 1 else 'papers'} {verb_of_one if count == 1 else verb}"

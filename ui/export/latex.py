"""Text as LaTeX source. It is untrusted: no command in it survives but those that typeset mathematics."""

from __future__ import annotations

import re

from assistant.text.latex import DOLLARS, encode, is_formula
from assistant.text.printable import one_line

_PIECES = re.compile(f"({DOLLARS})")
_MATH_CHARACTERS = re.compile(r"(?:[\w^{}()\[\]+*/=<>|.,:;!' -]|\\(?:[A-Za-z]+|[,;:! ]))+", re.ASCII)
# A word with a capital inside ("BERT", "LoRA"): styles that put titles in lower case must not change it.
_CAPITALIZED = re.compile(r"\S+[A-Z]\S*")


def to_latex(text: str | None, protect: bool = False) -> str:
    """Return LaTeX source that typesets as the text; with `protect`, words keep their capitals in every style."""
    pieces = _PIECES.split(one_line(text or ""))
    return "".join(piece if _is_mathematics(piece) else _encoded(piece, protect) for piece in pieces)


def _is_mathematics(piece: str) -> bool:
    formula = piece[1:-1]
    return bool(re.fullmatch(DOLLARS, piece) and _MATH_CHARACTERS.fullmatch(formula)) and is_formula(formula)


def _encoded(text: str, protect: bool) -> str:
    if not protect:
        return encode(text)
    words = re.split(r"(\s+)", text)
    return "".join(f"{{{encode(word)}}}" if _CAPITALIZED.fullmatch(word) else encode(word) for word in words)

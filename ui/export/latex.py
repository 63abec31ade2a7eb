"""Text to LaTeX, and where text has formulas.

Text is data: no command in it survives but those that write mathematics.
"""

from __future__ import annotations

import re

from assistant.text.latex import DOLLARS, is_formula
from assistant.text.printable import one_line

_PIECES = re.compile(f"({DOLLARS})")
_MATH_CHARACTERS = re.compile(r"(?:[\w^{}()\[\]+*/=<>|.,:;!' -]|\\(?:[A-Za-z]+|[,;:! ]))+", re.ASCII)
_ESCAPES = str.maketrans(
    {character: f"\\{character}" for character in "&%#_$"}
    | {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)
# A word that is written with a capital inside ("BERT", "LoRA"): styles that put titles in lower case must leave it.
_CAPITALS = re.compile(r"\S+[A-Z]\S*")


def latex(text: str | None, protect: bool = False) -> str:
    """Text that LaTeX typesets as it reads; with `protect`, words keep their capitals in every style."""
    pieces = _PIECES.split(one_line(text or ""))
    return "".join(piece if _is_mathematics(piece) else _escaped(piece, protect) for piece in pieces)


def _is_mathematics(piece: str) -> bool:
    formula = piece[1:-1]
    return bool(re.fullmatch(DOLLARS, piece) and _MATH_CHARACTERS.fullmatch(formula)) and is_formula(formula)


def _escaped(text: str, protect: bool) -> str:
    if not protect:
        return text.translate(_ESCAPES)
    words = re.split(r"(\s+)", text)
    return "".join(
        f"{{{word.translate(_ESCAPES)}}}" if _CAPITALS.fullmatch(word) else word.translate(_ESCAPES) for word in words
    )

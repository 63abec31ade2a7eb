"""LaTeX to plain characters: the only home of pylatexenc. Formulas stay as they were written."""

from __future__ import annotations

import re
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text

# Formulas are kept; of the rest only commands are handed over, which is a hundred times as quick as whole texts.
_PIECE = re.compile(
    r"(?P<math>\$\$.{1,2000}?\$\$|\$[^$]{1,500}\$|\\\(.{1,500}?\\\)|\\\[.{1,2000}?\\\])"
    r"|(?P<escape>\\[%&_#${}])|(?P<break>\\\\|\\[,;:! /])"
    r"|(?P<command>\{?\\(?:[`'^\"~=.]\s*|[uvHtcdbkr](?![A-Za-z])\s*)(?:\{\\?[^{}\\]{0,9}\}|\\[a-z]+|[^\W\d_])\}?)"
    r"|\\(?P<letter>(?:o|O|l|L|i|j|ss|aa|AA|ae|AE|oe|OE|dh|DH|th|TH|dj|DJ|ng|NG)(?![A-Za-z])\s*)"
    r"|(?P<word>\\[A-Za-z]+)",
    re.DOTALL,
)
_SIGNS = {"``": "“", "''": "”", "---": "—", "--": "–"}
_SIGN = re.compile("|".join(_SIGNS))
_NAMES_BRACES = re.compile(r"(?<!\\)[{}]")


def decoded(text: str) -> str:
    """The text with accents, letters and escapes as characters, formatting commands and braces gone."""
    if not re.search(r"[\\{}]", text):
        return text
    kept: list[str] = []
    at = 0
    for piece in _PIECE.finditer(text):
        kept += [_NAMES_BRACES.sub("", text[at : piece.start()]), _plain(piece)]
        at = piece.end()
    return "".join([*kept, _NAMES_BRACES.sub("", text[at:])])


def typeset(text: str) -> str:
    """The same with the ties, dashes and quotation marks of a typesetter's text, as in BibTeX."""
    text = re.sub(r"(?<=\S)(?<!\\)~(?=\S)", " ", text) if "://" not in text else text
    return _SIGN.sub(lambda sign: _SIGNS[sign[0]], decoded(text))


def _plain(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "math":
            return piece[0]
        case "escape":
            return piece[0][1:]
        case "break":
            return " "
        case "word":
            # What takes an argument formats it, or is somebody's own command: the argument is the text.
            return "" if piece.string.startswith("{", piece.end()) else _characters(piece[0])
        case _:
            return _characters(piece[0].rstrip())


@lru_cache(4096)
def _characters(command: str) -> str:
    """What a command stands for; one that stands for nothing here stays as it is."""
    try:
        return LatexNodes2Text(keep_comments=True).latex_to_text(command, tolerant_parsing=True) or command
    except Exception:  # a command without what it needs, such as \verb, fails in many ways
        return command

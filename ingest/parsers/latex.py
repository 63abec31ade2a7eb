"""Decode the LaTeX of titles, abstracts and names to plain characters. Formulas stay as they are written."""

from __future__ import annotations

import re

from assistant.text.latex import decode_command

# Only single commands are passed to pylatexenc, which is a hundred times as fast as passing whole texts.
_TOKEN = re.compile(
    r"(?P<math>\$\$.{1,2000}?\$\$|\$[^$]{1,500}\$|\\\(.{1,500}?\\\)|\\\[.{1,2000}?\\\])"
    r"|(?P<escape>\\[%&_#${}])|(?P<break>\\\\|\\[,;:! /])"
    r"|(?P<command>\{?\\(?:[`'^\"~=.]\s*|[uvHtcdbkr](?![A-Za-z])\s*)(?:\{\\?[^{}\\]{0,9}\}|\\[a-z]+|[^\W\d_])\}?)"
    r"|\\(?P<letter>(?:o|O|l|L|i|j|ss|aa|AA|ae|AE|oe|OE|dh|DH|th|TH|dj|DJ|ng|NG)(?![A-Za-z])\s*)"
    r"|(?P<word>\\[A-Za-z]+)",
    re.DOTALL,
)
_LIGATURES = {"``": "“", "''": "”", "---": "—", "--": "–"}
_LIGATURE = re.compile("|".join(_LIGATURES))
_BRACE = re.compile(r"(?<!\\)[{}]")


def decode_latex(text: str) -> str:
    """Return the text with accents, letters and escapes decoded, without formatting commands and braces."""
    if not re.search(r"[\\{}]", text):
        return text
    pieces: list[str] = []
    position = 0
    for token in _TOKEN.finditer(text):
        pieces += [_BRACE.sub("", text[position : token.start()]), _decode_token(token)]
        position = token.end()
    return "".join([*pieces, _BRACE.sub("", text[position:])])


def decode_bibtex(text: str) -> str:
    """Return the decoded text of a BibTeX value, with LaTeX's ties, dashes and quotation marks decoded too."""
    text = re.sub(r"(?<=\S)(?<!\\)~(?=\S)", " ", text) if "://" not in text else text
    return _LIGATURE.sub(lambda ligature: _LIGATURES[ligature[0]], decode_latex(text))


def _decode_token(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "math":
            return token[0]
        case "escape":
            return token[0][1:]
        case "break":
            return " "
        case "word":
            # A command with an argument is formatting or user-defined: keep only the argument.
            return "" if token.string.startswith("{", token.end()) else decode_command(token[0])
        case _:
            return decode_command(token[0].rstrip())

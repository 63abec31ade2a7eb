"""Write superscripts in line, whatever their notation."""

from __future__ import annotations

import re

RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_TO_DIGITS = str.maketrans(RAISED_DIGITS, "0123456789")
# LaTeX around a superscript: `$R^2$`, `MATH$^{2}$`, `$\mathrm{MATH}^2$`, `\textsuperscript{2}`.
_LATEX = re.compile(r"\\[A-Za-z]+\s*|[\\${}^]")


def flatten_superscripts(text: str) -> str:
    """Return the text with superscripts as plain digits: `R²`, `R^2` and `$R^{2}$` all become `R2`."""
    return _LATEX.sub("", text.translate(_TO_DIGITS))

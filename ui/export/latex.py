"""Text to LaTeX, and where text has formulas.

Text is data: no command in it survives but those that write mathematics.
"""

from __future__ import annotations

import re

from assistant.text.printable import one_line

# $...$ as people write mathematics: no space inside the dollars, no digit behind them (which is money).
FORMULA = re.compile(r"(?<![\\$])\$(?=\S)[^$\n]{1,300}?(?<=[^\s\\])\$(?!\d)")
_PIECES = re.compile(f"({FORMULA.pattern})")
_MATH_CHARACTERS = re.compile(r"(?:[\w^{}()\[\]+*/=<>|.,:;!' -]|\\(?:[A-Za-z]+|[,;:! ]))+", re.ASCII)
# The commands that may stand in mathematics; any other (\input, \write, \def ...) could act on whoever typesets it.
_MATH_COMMANDS = frozenset(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho varrho sigma
    tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    mathbb mathbf mathcal mathfrak mathit mathrm mathsf mathtt boldsymbol bm text textbf textit textrm operatorname
    hat bar tilde vec dot ddot widehat widetilde overline underline sqrt frac binom left right big Big langle rangle
    ell hbar infty partial nabla forall exists neg in notin subset subseteq cup cap emptyset cdot cdots ldots dots times
    div pm mp ast star circ bullet oplus otimes odot leq le geq ge neq ne approx sim simeq equiv propto ll gg prec succ
    to rightarrow leftarrow leftrightarrow Rightarrow Leftarrow mapsto sum prod int max min sup inf lim log ln exp sin
    cos tan det dim ker Pr mod top perp mid parallel prime quad dagger lfloor rfloor lceil rceil""".split()
)
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
    inner = piece[1:-1]
    if not FORMULA.fullmatch(piece) or not _MATH_CHARACTERS.fullmatch(inner):
        return False
    return set(re.findall(r"\\([A-Za-z]+)", inner)) <= _MATH_COMMANDS and _is_balanced(inner)


def _is_balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _escaped(text: str, protect: bool) -> str:
    if not protect:
        return text.translate(_ESCAPES)
    words = re.split(r"(\s+)", text)
    return "".join(
        f"{{{word.translate(_ESCAPES)}}}" if _CAPITALS.fullmatch(word) else word.translate(_ESCAPES) for word in words
    )

r"""Render LaTeX for readers: `20\% of $4$K` reads "20% of 4K". The only home of pylatexenc.

Stored text stays verbatim because passages are offsets into it: cut the stored text first, then render the slice. The
result is as untrusted as its source and must be escaped like it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# $...$ as people write mathematics: no space inside the dollars, and no digit behind them, which would be money,
# unless a lone command stands inside: $\sim$10.
DOLLARS = r"(?<![\\$])(?<!US)\$(?=\S)(?:\\[a-z]+\$(?=\d)|[^$\n]{1,300}?(?<=[^\s\\])\$(?!\d))"
_FORMULA = re.compile(
    rf"{DOLLARS}|\$\$\s*(?=[^\s$])[^$]{{1,1000}}\$\$|\\\((?=.)[^\n]{{1,300}}?\\\)|\\\[(?=.)[^$]{{1,1000}}?\\\]"
)
_LATEX = re.compile(r"[\\$~]|``")
# Every command that typesets mathematics alone; any other (\input, \write, \def ...) could act where it is typeset.
_MATH_COMMANDS = frozenset(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho varrho sigma
    tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
    mathbb mathbf mathcal mathfrak mathit mathrm mathsf mathtt boldsymbol bm text textbf textit textrm texttt textsf
    operatorname hat bar tilde vec dot ddot widehat widetilde overline underline sqrt frac binom left right big Big
    langle rangle ell hbar infty partial nabla forall exists neg in notin subset subseteq cup cap emptyset cdot cdots
    ldots dots times div pm mp ast star circ bullet oplus otimes odot leq le geq ge neq ne approx sim simeq equiv propto
    ll gg prec succ to rightarrow leftarrow leftrightarrow Rightarrow Leftarrow mapsto sum prod int max min sup inf lim
    log ln exp sin cos tan det dim ker Pr mod top perp mid parallel prime quad dagger lfloor rfloor lceil
    rceil""".split()
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_NUMBER = re.compile(r"[\d.,]+(?:\\%)?")
_ARGUMENT_COMMAND = re.compile(r"\\[A-Za-z]+\s*\{[^{}]*\}|\\[A-Za-z]+")
_PROSE_IN_FORMULA = re.compile(r"^\d[\d.,]*\s+[a-z]{2,}(?![a-z])|(?<![A-Za-z])[A-Za-z]{2,}[,;:]?\s+[A-Za-z]{2,}")

# Commands whose argument is the text, commands about spacing, and those that only arrange the page.
_STYLE = re.compile(
    r"\\(?:text(?:tt|sc|sf|bf|it|rm|md|up)?|math(?:rm|bf|it|sf|tt|cal|frak|scr)|boldsymbol|bm|mbox|operatorname\*?)"
    r"\s*\{([^{}]{0,500})\}"
)
_ARRANGEMENT = frozenset(
    "left right big Big bigg Bigg bigl bigr limits nolimits displaystyle textstyle xspace noindent item begin end"
    " label vspace hspace centering maketitle newline par".split()
)
_SCRIPT = re.compile(r"([\^_])\s*(?:\{([^{}]{0,100})\}|(\\[A-Za-z]+|[^\s{}\\]))")
# Stand-ins from the private use area while a formula is converted: the pattern of scripts must not match its own
# result, and a command must end before the letters of its script.
_SCRIPT_SIGNS, _COMMAND_END = {"^": "\ue000", "_": "\ue001"}, "\ue002"
_STAND_INS = {0xE000: "^", 0xE001: "_", 0xE002: None, 0xA0: " "}
_FUNCTION = re.compile(r"(?<=\w)(?=\\(?:log|ln|exp|sin|cos|tan|max|min|sup|inf|lim|det|mid)(?![A-Za-z]))")
_RELATION = re.compile(r"(\\(?:in|notin|leq?|geq?|neq?|to|times|cdot|sim|approx|subseteq|mid))\s+(?=\\)")
_SCRIPT_CHARACTERS = {
    "^": dict(
        zip("0123456789+-=()abcdefghijklmnoprstuvwxyzT∘′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ°′", strict=True)
    ),
    "_": dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)),
}

_STYLED_FORMULA = re.compile(r"\\[a-z]+\{([^{}$]{0,500}\$[^{}]{0,500})\}")
_PROSE = re.compile(
    r"\\(?P<escape>[%&_#${}])"
    r"|(?P<line_break>[ ]?\\\\(?=\s|$))"
    r"|(?P<space>(?<!\\)\\[,; ])"
    r"|``(?P<quoted>[^`'\n]{1,300})''"
    r"|(?P<tie>(?<=[A-Za-z.,])~(?=[A-Za-z(\[\\$]|$))"
    r"|\{\\(?:em|bf|it|tt|sc|rm|sf|bfseries|itshape)\s+(?P<switched>[^{}]{0,500})\}"
    r"|(?P<accent>\{\\[`'^\"~=.uvHcdbkr]\s*\{?\\?[A-Za-z]\}?\}|\\[`'^\"~=.uvHcdbkr]\{\\?[A-Za-z]{1,2}\}"
    # Escaped quotation marks and apostrophes of program text (\"so\", don\'t) must not turn into accents.
    r"|(?<=[A-Za-z])\\[`^\"~][aeiounyAEIOUNY](?=[a-z])|(?<=[A-Za-z])\\'(?:[aeiouy]|[cnsz](?=[a-z]))"
    r"|\\'[AEIOUYCNSZ](?=[a-z]))"
    r"|(?P<letter>\{\\(?:o|O|l|L|i|j|ss|aa|AA|ae|AE|oe|OE)\}|\\(?:o|O|l|L|i|j|ss|aa|AA|ae|AE|oe|OE)\{\})"
    r"|(?P<command>\\(?P<name>[A-Za-z]{2,})\*?(?:\[[^\[\]{}]{0,50}\])?\{(?P<argument>[^{}]{0,500})\}"
    r"(?:\{(?P<second>[^{}]{0,500})\})?)"
    # No letter or path before it: C:\method and src\main stay.
    r"|(?P<words>(?<![A-Za-z:./\\])(?:\\[A-Za-z]{2,})+(?![A-Za-z]))(?:\{\}|(?!\{))"
)
_NESTING = 3

# What LaTeX reads as a command, and the characters for which its fonts need one.
_SPECIAL = re.compile(r"[#$%&\\^_{}~<>|]")
_COMMAND_FOR = {"{": r"\textbraceleft", "}": r"\textbraceright", "<": r"\textless", ">": r"\textgreater"}
_COMMAND_FOR |= {"|": r"\textbar"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of prose or a formula: `text` is its plain form, `formula` the LaTeX to typeset, empty for prose."""

    text: str
    formula: str = ""


def to_text(source: str) -> str:
    """Return the text with escapes, commands and formulas as plain characters; what is not LaTeX stays.

    Broken LaTeX is rendered piece by piece or left as it is. Never raises.
    """
    return "".join(segment.text for segment in segments(source))


def segments(source: str) -> Iterator[Segment]:
    """Yield the prose and formulas of a text in their order."""
    if not _LATEX.search(source):
        yield Segment(source)
        return
    for _ in range(_NESTING):
        source = _STYLED_FORMULA.sub(r"\1", source)
    end = 0
    for match in _FORMULA.finditer(source):
        yield Segment(_prose_text(source[end : match.start()]))
        yield _formula_segment(match[0])
        end = match.end()
    yield Segment(_prose_text(source[end:]))


def whole_span(source: str, start: int, end: int) -> tuple[int, int]:
    """Return the span widened to whole formulas and commands, so that each slice of the text renders by itself."""
    for match in _FORMULA.finditer(source):
        start, end = _widened(start, end, match.span())
    for _ in range(_NESTING):
        before = start, end
        for match in _PROSE.finditer(source):
            start, end = _widened(start, end, match.span())
        if (start, end) == before:
            break
    return start, end


def encode(text: str) -> str:
    """Return LaTeX source that typesets as the text; characters beyond ASCII stay as they are.

    Braces become commands, because BibTeX counts escaped braces too.
    """
    return _SPECIAL.sub(lambda match: _encoded(match[0]), text)


def is_formula(formula: str) -> bool:
    """Tell whether the text between two delimiters is mathematics: balanced, no prose, known commands only."""
    commands = set(_COMMAND.findall(formula))
    return commands <= _MATH_COMMANDS and _is_balanced(formula) and not _is_prose(formula)


def _widened(start: int, end: int, whole: tuple[int, int]) -> tuple[int, int]:
    """Return the span with the whole one added to it where an end of the span lies within that."""
    first, last = whole
    if start >= end:
        return start, end
    return min(start, first) if first < start < last else start, max(end, last) if first < end < last else end


def _formula_segment(delimited: str) -> Segment:
    width = 1 if delimited[0] == "$" != delimited[1] else 2
    formula = delimited[width:-width].strip()
    if _NUMBER.fullmatch(formula):  # needs no typesetting, and should look like the numbers around it
        return Segment(_formula_text(formula))
    if is_formula(formula):
        return Segment(_formula_text(formula), formula)
    # Two amounts of money may look like the delimiters of a formula.
    return Segment(delimited if _is_prose(formula) and not re.search(r"[\\^_{}=]", formula) else _formula_text(formula))


def _is_prose(formula: str) -> bool:
    return bool(_PROSE_IN_FORMULA.search(_ARGUMENT_COMMAND.sub(" ", formula)))


def _is_balanced(formula: str) -> bool:
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", formula):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


@lru_cache(len(_SPECIAL.pattern))
def _encoded(character: str) -> str:
    from pylatexenc.latexencode import RULE_DICT, UnicodeToLatexConversionRule, UnicodeToLatexEncoder

    commands = UnicodeToLatexConversionRule(RULE_DICT, {ord(symbol): name for symbol, name in _COMMAND_FOR.items()})
    encoder = UnicodeToLatexEncoder(
        conversion_rules=[commands, "defaults"], replacement_latex_protection="braces-after-macro"
    )
    return str(encoder.unicode_to_latex(character))


# Formulas


@lru_cache(4096)
def _formula_text(formula: str) -> str:
    for _ in range(_NESTING):
        formula = _SCRIPT.sub(_script, _STYLE.sub(r"\1", formula))
    formula = _RELATION.sub(r"\1{}~", _FUNCTION.sub(" ", formula)).replace(r"\|", "‖")
    formula = _COMMAND.sub(_known_command, formula)
    return _converted(formula)


def _script(match: re.Match[str]) -> str:
    """Return a superscript or subscript in Unicode, or in parentheses where Unicode has none for a character."""
    text = _converted(_COMMAND.sub(_known_command, match[2] if match[3] is None else match[3]))
    characters = _SCRIPT_CHARACTERS[match[1]]
    if all(character in characters for character in text) and not re.search("[A-Za-z]{3}", text):
        return _COMMAND_END + "".join(characters[character] for character in text)
    return f"{_SCRIPT_SIGNS[match[1]]}{text if len(text) == 1 else f'({text})'}"


def _known_command(match: re.Match[str]) -> str:
    name = match[1]
    if name in _ARRANGEMENT:
        return ""
    return match[0] if _is_known(name) else f"{name} "


def _converted(latex: str) -> str:
    try:
        text = str(_converter().latex_to_text(latex, tolerant_parsing=True))
    except Exception:  # unfinished commands and deep nesting fail in many ways
        text = latex
    if "%s" in text:  # a command such as \frac without its arguments
        text = latex.replace("\\", "")
    return text.translate(_STAND_INS).strip()


@lru_cache(4096)
def decode_command(command: str) -> str:
    r"""Return the characters of a single command such as `\'e`, or the command itself if it has none."""
    return _converted(command) or command


def _is_known(name: str) -> bool:
    return bool(getattr(_converter().latex_context.get_macro_spec(name), "macroname", None))


@lru_cache(1)
def _converter() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    # It warns of each command that lacks an argument, which abstracts are full of.
    logging.getLogger("pylatexenc").setLevel(logging.ERROR)
    return LatexNodes2Text(math_mode="text", keep_comments=True, strict_latex_spaces="based-on-source")


# Prose


def _prose_text(source: str) -> str:
    for _ in range(_NESTING):
        rendered = _PROSE.sub(_prose_piece, source)
        if rendered == source or "\\" not in rendered:
            return rendered
        source = rendered
    return source


def _prose_piece(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    render = _PIECES.get(kind)
    return render(match) if render else ""


def _command_text(match: re.Match[str]) -> str:
    """Return the argument of a command, which for most is the text that it formats."""
    name, argument, second = match["name"], match["argument"], match["second"]
    if name in _ARRANGEMENT:
        return ""
    if name in ("textsuperscript", "textsubscript"):
        return _formula_text(f"{'^' if name == 'textsuperscript' else '_'}{{{argument}}}")
    if name == "href":
        return second or argument
    if name in _MATH_COMMANDS and not _STYLE.fullmatch(f"\\{name}{{}}"):
        return _formula_text(match[0])
    return (argument or name) + (second or "")


def _words_text(match: re.Match[str]) -> str:
    r"""Return symbols for commands without an argument, the bare word for an unknown one; `\App\Models` stays."""
    names = _COMMAND.findall(match["words"])
    if len(names) > 1 and not all(_is_known(name) or name in _ARRANGEMENT for name in names[1:]):
        return match[0]
    words = "".join(_known_command(command).rstrip() for command in _COMMAND.finditer(match["words"]))
    return _formula_text(words) if "\\" in words else words


_PIECES: dict[str, Callable[[re.Match[str]], str]] = {
    "escape": lambda match: match["escape"],
    "space": lambda match: " ",
    "tie": lambda match: " ",
    "quoted": lambda match: f"“{match['quoted']}”",
    "switched": lambda match: match["switched"],
    "accent": lambda match: _converted(match[0]),
    "letter": lambda match: _converted(match[0]),
    "command": _command_text,
    "words": _words_text,
}

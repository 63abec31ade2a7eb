r"""Read the prose and citations of a LaTeX document. No file that it names is opened.

Formulas between dollars are rendered; a footnote follows the paragraph that it hangs on; the preamble, displayed
formulas, floats with their captions, program text and comments are left alone. Unbalanced braces and unfinished
environments cost no more than what stands in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.drafts.paragraphs import Paragraph, ParagraphBuilder
from assistant.drafts.reference_list import text_entry
from assistant.drafts.values import BibliographyEntry, DraftNote
from assistant.text.latex import DOLLARS, decode_command, to_text

# Environments without prose.
_SKIPPED = (
    "equation align alignat gather multline eqnarray displaymath math flalign figure table wrapfigure wraptable "
    "sidewaystable sidewaysfigure subfigure longtable tabular tabularx tabulary tikzpicture algorithm algorithmic "
    "lstlisting verbatim minted comment thebibliography bibliography filecontents code Verbatim"
).split()
# Commands whose arguments are no prose.
_WITHOUT_PROSE = frozenset(
    "label ref eqref autoref cref Cref pageref nameref vref input include subfile import includegraphics "
    "bibliography bibliographystyle addbibresource usepackage documentclass RequirePackage newcommand renewcommand "
    "providecommand newenvironment newtheorem def let setlength addtolength vspace hspace url index glossary caption "
    "captionof footnotemark thispagestyle pagestyle setcounter addtocounter hypersetup definecolor color "
    "pagenumbering title author date affiliation email institute address thanks keywords nocite defcitealias "
    "tableofcontents graphicspath lstset rule phantom vphantom hphantom tag hypertarget hyperlink todo fontsize "
    "selectfont section subsection subsubsection chapter part paragraph subparagraph begin "
    "end".split()
)
_BREAKS = frozenset("section subsection subsubsection chapter part paragraph subparagraph item par begin end".split())
_INCLUDES = frozenset("input include subfile import".split())
_FOOTNOTES = frozenset("footnote footnotetext endnote sidenote".split())
_SECOND_ARGUMENT = frozenset("textcolor colorbox href hyperref".split())
_GROUP = r"\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.)*\})*\})*\}"
_OPTION = r"\[(?:[^\[\]{}]|\{[^{}]*\})*\]"
_KEYS = rf"(?:\([^()]*\)){{0,2}}\s*(?:{_OPTION}\s*){{0,2}}\{{[^{{}}]*\}}"
_TOKEN = re.compile(
    rf"""(?P<comment>%[^\n]*(?:\n[ \t]*)?)
    |(?P<display>\$\$.{{0,5000}}?\$\$|\\\[.{{0,5000}}?\\\])
    |(?P<formula>{DOLLARS}|\\\(.{{1,500}}?\\\)|\$[^$\n]{{1,300}}\$)
    |\\(?P<cite>[A-Za-z]*[cC]ite[A-Za-z]*)\*?\s*(?P<keys>{_KEYS}(?:\s*{_KEYS})*)
    |\\verb\*?(?P<bar>[^\sA-Za-z])[^\n]*?(?P=bar)
    |\\begin\{{(?P<environment>[A-Za-z]+\*?)\}}
    |(?P<accent>\\(?:[`'^"~=.]\s*|[uvHcdbkr](?![A-Za-z])\s*)(?:\{{\\?[A-Za-z]{{0,2}}\}}|\\[ij]|[A-Za-z]))
    |(?P<letter>\\(?:o|O|l|L|i|j|ss|aa|AA|ae|AE|oe|OE)(?![A-Za-z])(?:\{{\}}|[ ])?)
    |\\(?P<name>[A-Za-z@]+)\*?[ \t]*(?P<options>(?:{_OPTION})*)
    |\\(?P<escape>[%&_#${{}}])
    |(?P<space>\\[,;:! ]|\\\\(?:\[[^\]\n]*\])?|~|\\/)
    |(?P<blank>[ \t]*\n[ \t]*(?:\n\s*)+)
    |(?P<brace>[{{}}])
    |(?P<opening>``)|(?P<closing>'')
    |(?P<prose>[^%$\\{{}}~\n`']+|.)""",
    re.VERBOSE | re.DOTALL,
)
_KEY_GROUP = re.compile(r"\{([^{}]*)\}")
_ARGUMENTS = re.compile(rf"(?:\s*(?:{_OPTION}|{_GROUP}))+")
_FOOTNOTE_TEXT = re.compile(rf"\s*({_GROUP})")
_NARRATIVE = re.compile(r"(?:citet|Citet|textcite|Textcite|citeauthor|Citeauthor|citealt|Citealt|newcite|onlinecite)s?")
_BIBITEM = re.compile(r"\\bibitem\s*(?:\[(?:[^\[\]{}]|\{[^{}]*\})*\])?\s*\{(?P<key>[^{}]*)\}")
_BIBLIOGRAPHY = re.compile(r"\\begin\{thebibliography\}(?P<entries>.*?)(?:\\end\{thebibliography\}|\Z)", re.DOTALL)
_RESOURCE = re.compile(r"\\(?:bibliography|addbibresource(?:\[[^\]]*\])?)\s*\{([^{}]*)\}")


def paragraphs(source: str, notes: list[DraftNote]) -> Iterator[Paragraph]:
    """Yield the paragraphs of the document; what is not read is added to the notes."""
    yield from _paragraphs(source, *_body(source), notes)


def _paragraphs(source: str, position: int, end: int, notes: list[DraftNote]) -> Iterator[Paragraph]:
    """Yield the paragraphs of a span, each followed by its footnotes."""
    builder, footnotes = ParagraphBuilder(), list[Paragraph]()
    while position < end:
        token = _TOKEN.match(source, position, end)
        if token is None:
            break
        if token.lastgroup == "keys":
            _cite(token, source, builder)
            position = token.end()
            continue
        if footnote := _footnote(token, source, end):
            footnotes += builder.annotate(_paragraphs(source, footnote.start(1) + 1, footnote.end(1) - 1, notes))
            position = footnote.end()
            continue
        position, breaks = _read(token, source, builder, notes)
        if breaks:
            yield from builder.finish(footnotes)
    yield from builder.finish(footnotes)


def _footnote(token: re.Match[str], source: str, end: int) -> re.Match[str] | None:
    """Return the argument of a command for footnotes, with its braces as the group; None of any other command."""
    return _FOOTNOTE_TEXT.match(source, token.end(), end) if token["name"] in _FOOTNOTES else None


def entries(source: str) -> Iterator[BibliographyEntry]:
    r"""Yield the entries of a `thebibliography`, each under the key of its `\bibitem`."""
    for block in _BIBLIOGRAPHY.finditer(source):
        items = list(_BIBITEM.finditer(source, block.start("entries"), block.end("entries")))
        ends = [*(item.start() for item in items[1:]), block.end("entries")]
        for item, end in zip(items, ends, strict=True):
            yield text_entry(item["key"].strip(), to_text(_without_braces(source[item.end() : end])))


def resources(source: str) -> list[str]:
    r"""Return the names of the .bib files that the document names, as it writes them."""
    return [name.strip() for match in _RESOURCE.finditer(source) for name in match[1].split(",") if name.strip()]


def _body(source: str) -> tuple[int, int]:
    """Return the offsets of what stands between preamble and end; of a fragment, all of it."""
    begin, end = source.find(r"\begin{document}"), source.rfind(r"\end{document}")
    start = begin + len(r"\begin{document}") if begin >= 0 else 0
    return start, end if end > start else len(source)


def _cite(token: re.Match[str], source: str, builder: ParagraphBuilder) -> None:
    name, written = token["cite"], token["keys"]
    if name in ("nocite", "defcitealias"):
        return
    groups = _KEY_GROUP.findall(written)
    chosen = groups if name.endswith("s") else groups[:1]
    keys = [key.strip() for group in chosen for key in group.split(",") if key.strip()]
    start, end = token.span()
    if not name.endswith("s") and len(groups) > 1:
        end = token.start("keys") + written.index("}") + 1
    builder.cite(keys, start, end, source[end : end + 20], bool(_NARRATIVE.fullmatch(name)))


def _read(token: re.Match[str], source: str, builder: ParagraphBuilder, notes: list[DraftNote]) -> tuple[int, bool]:
    """Add the prose of a token; return the offset behind it, and whether a paragraph ends there."""
    start, end = token.span()
    if token["environment"]:
        return _environment_end(token["environment"], source, end), True
    if token["name"]:
        return _command(token, source, notes)
    if token["blank"] is not None:
        return end, True
    if text := _prose(token):
        builder.add(text, start, end)
    return end, False


def _prose(token: re.Match[str]) -> str:
    """Return the prose of a token that is neither a command nor an environment."""
    match token.lastgroup:
        case "prose":
            return token[0].replace("\n", " ").replace("\t", " ")
        case "formula":
            return to_text(token[0])
        case "escape":
            return token["escape"]
        case "accent" | "letter":
            return decode_command(token[0].strip())
        case "opening" | "closing":
            return "“" if token["opening"] else "”"
        case "space" | "display":
            return " "
        case _:
            return ""


def _command(token: re.Match[str], source: str, notes: list[DraftNote]) -> tuple[int, bool]:
    """Return where reading goes on behind a command; the argument of most is prose, which is read as any other."""
    name, end = token["name"], token.end()
    if name in _INCLUDES:
        file = _ARGUMENTS.match(source, end)
        called = " ".join(_without_braces(file[0]).split())[:80] if file else ""
        notes.append(
            DraftNote(f"\\{name} {called}: the file is not read; check it as a draft of its own", token.start())
        )
    if name in _WITHOUT_PROSE or name in _SECOND_ARGUMENT:
        arguments = re.compile(rf"\s*{_GROUP}").match(source, end) if name in _SECOND_ARGUMENT else None
        arguments = arguments or (None if name in _SECOND_ARGUMENT else _ARGUMENTS.match(source, end))
        end = arguments.end() if arguments else end
    # A footnote whose braces are broken is a paragraph of its own.
    return end, name in _BREAKS or name in _FOOTNOTES


def _environment_end(name: str, source: str, position: int) -> int:
    """Return the offset behind an environment without prose, or behind its beginning where it has prose or no end."""
    if name.rstrip("*") in _SKIPPED:
        end = source.find(f"\\end{{{name}}}", position)
        if end >= 0:
            return end + len(name) + 6
    options = re.compile(rf"\s*{_OPTION}").match(source, position)
    return options.end() if options else position


def _without_braces(text: str) -> str:
    return re.sub(r"\\(?:em|it|bf|sc|rm|tt|sl|newblock)(?![A-Za-z])\s*|[{}]", "", text)

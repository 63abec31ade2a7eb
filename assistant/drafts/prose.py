"""Read the prose and citations of Markdown, also Pandoc's, and of plain text.

A footnote follows the paragraph that its mark stands in. Front matter, headings, program text, tables, images and
displayed formulas are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.drafts import author_year, footnotes
from assistant.drafts.paragraphs import Paragraph, ParagraphBuilder
from assistant.text.latex import DOLLARS, to_text

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_BIBLIOGRAPHY = re.compile(r"^bibliography:[ \t]*(?P<first>.*)$(?P<more>(?:\n[ \t]*-[ \t]*.*)*)", re.MULTILINE)
_FENCE = re.compile(r"[ ]{0,3}(```+|~~~+)")
_BLOCK = re.compile(
    r"[ \t]*(?:\||#{1,6}[ \t]|:?-{3,}|={3,}|\+[-=:+]{3,}|!\[|\[[^\]]+\]:[ \t]|Table:|Figure:|:[ \t]|<!--)"
)
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
_PANDOC_KEY = r"[\w](?:[\w:.#$%&+?<>~/-]*[\w/])?"
_MARKDOWN = re.compile(
    rf"""(?P<comment><!--.*?-->)
    |(?P<display>\$\$.*?\$\$)
    |(?P<formula>{DOLLARS})
    |(?P<bracket>\[[^\[\]]*?-?@{_PANDOC_KEY}[^\[\]]*\])
    |(?P<code>`[^`\n]+`)
    |(?P<image>!\[[^\]\n]*\](?:\([^)\n]*\)|\{{[^}}\n]*\}})?)
    |\[(?P<link>[^\[\]\n]+)\]\((?P<address>[^()\s]*(?:\s+"[^"]*")?)\)(?:\{{[^}}\n]*\}})?
    |(?<![\w@])(?P<suppressed>-)?@(?P<key>{_PANDOC_KEY})
    |(?P<tag></?[A-Za-z][^<>\n]{{0,200}}>)
    |\\(?P<escape>[!-/:-@\[-`{{-~])
    |(?P<emphasis>\*{{1,3}}|(?<!\w)_{{1,3}}(?=\w)|(?<=[\w.,;)])_{{1,3}}(?!\w)|~~)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_BRACKET = re.compile(rf"(?<![\w@])-?@(?P<key>{_PANDOC_KEY})")
_LOCATOR = re.compile(r"[ \t]*\[[^\[\]@]{0,60}\]")
_NUMBERS = re.compile(r"\[(?P<numbers>\d{1,4}(?:\s*[-–,;]\s*\d{1,4}){0,40})\]")
# Numbers that a range such as [3-7] may stand for.
_LONGEST_RANGE = 50


def markdown(source: str, end: int, numbered: bool) -> Iterator[Paragraph]:
    """Yield the paragraphs of Markdown up to the offset; `numbered` tells whether [3] is a citation."""
    front = _FRONT_MATTER.match(source)
    draft = _Prose(source, numbered, footnotes.definitions(source, end))
    for start, stop in _blocks(source, front.end() if front else 0, end):
        yield from draft.paragraphs(start, stop)


def text(source: str, end: int, numbered: bool) -> Iterator[Paragraph]:
    """Yield the paragraphs of plain text up to the offset; `numbered` tells whether [3] is a citation."""
    draft, position = _Prose(source, numbered), 0
    for gap in re.finditer(r"\n[ \t]*\n\s*", source[:end]):
        yield from draft.paragraphs(position, gap.start())
        position = gap.end()
    yield from draft.paragraphs(position, end)


def resources(source: str) -> list[str]:
    """Return the names of the .bib files in the front matter of Markdown, as it writes them."""
    front = _FRONT_MATTER.match(source)
    named = _BIBLIOGRAPHY.search(front[0]) if front else None
    if named is None:
        return []
    lines = [named["first"].strip("[] "), *(line.strip(" \t-") for line in named["more"].splitlines())]
    return [name.strip(" '\"") for line in lines for name in line.split(",") if name.strip(" '\"")]


def _blocks(source: str, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of paragraphs and list items of Markdown."""
    start, fence = -1, ""
    for line in re.finditer(r"[^\n]*(?:\n|\Z)", source[:end]):
        if line.start() < position or not line[0]:
            continue
        opened = _FENCE.match(line[0])
        if fence or opened:
            fence = "" if fence and line[0].strip().startswith(fence) else (fence or (opened[1] if opened else ""))
        begins = footnotes.DEFINITION.match(line[0]) or _LIST_ITEM.match(line[0])
        is_prose = bool(line[0].strip()) and not (fence or opened or (_BLOCK.match(line[0]) and not begins))
        if start >= 0 and (not is_prose or begins):
            yield start, line.start()
            start = -1
        start = line.start() if is_prose and start < 0 else start
    if start >= 0:
        yield start, end


@dataclass(frozen=True, slots=True)
class _Prose:
    """The source of a draft; `numbered` tells whether [3] is a citation.

    `footnotes` are the spans of the texts of footnotes by their marks, each of which is read once; None where it has no
    markup.
    """

    source: str
    numbered: bool
    footnotes: dict[str, tuple[int, int]] | None = None

    def paragraphs(self, start: int, end: int) -> Iterator[Paragraph]:
        """Yield the paragraph of a span, if it has words, and the footnotes whose marks it has."""
        if self.footnotes is not None and footnotes.DEFINITION.match(self.source, start, end):
            return  # it comes with the paragraph of its mark
        marker = _LIST_ITEM.match(self.source, start, end)
        yield from self._paragraphs(marker.end() if marker else start, end)

    def _paragraphs(self, start: int, end: int) -> Iterator[Paragraph]:
        builder, notes, position = ParagraphBuilder(), list[Paragraph](), start
        for mark in footnotes.marks(self.source, start, end) if self.footnotes is not None else ():
            self._add_prose(position, mark.start(), builder)
            notes += self._footnote(mark, builder)
            position = mark.end()
        self._add_prose(position, end, builder)
        yield from builder.finish(notes)

    def _footnote(self, mark: re.Match[str], builder: ParagraphBuilder) -> list[Paragraph]:
        """Return the paragraphs of a footnote; what one only cites is cited where its mark stands."""
        span = self.footnotes.pop(mark["mark"], None) if mark["mark"] and self.footnotes else mark.span("text")
        return builder.annotate(self._paragraphs(*span), *mark.span()) if span and span[0] >= 0 else []

    def _add_prose(self, start: int, end: int, builder: ParagraphBuilder) -> None:
        """Add the prose and the citations of a span without footnotes."""
        position, markup = start, self.footnotes is not None
        for first, last, keys, narrative in _plain_citations(self.source, start, end, self.numbered):
            _add(self.source, position, first, markup, builder)
            builder.cite(keys, first, last, self.source[last : last + 20], narrative)
            position = last
        _add(self.source, position, end, markup, builder)


def _plain_citations(
    source: str, start: int, end: int, numbered: bool
) -> Iterator[tuple[int, int, tuple[str, ...], bool]]:
    """Yield start, end, keys and kind of the citations by number and by author and year, in order."""
    prose = source[start:end]
    found = [(item.start, item.end, item.keys, item.narrative) for item in author_year.find(prose)]
    if numbered:
        found += [
            (match.start(), match.end(), keys, False) for match in _NUMBERS.finditer(prose) if (keys := _numbers(match))
        ]
    reached = 0
    for first, last, keys, narrative in sorted(found):
        if first >= reached:
            yield first + start, last + start, keys, narrative
            reached = last


def _numbers(match: re.Match[str]) -> tuple[str, ...]:
    """Return the numbers of `[2, 5-7]`; none where one is 0, which no list has."""
    keys: list[str] = []
    for part in re.split(r"\s*[,;]\s*", match["numbers"]):
        first, *last = map(int, re.split(r"\s*[-–]\s*", part))
        keys += map(str, range(first, min(last[-1], first + _LONGEST_RANGE) + 1) if last else [first])
    return tuple(keys) if "0" not in keys else ()


def _add(source: str, position: int, end: int, markup: bool, builder: ParagraphBuilder) -> None:
    """Add the prose of a span, in which there is no other citation than Pandoc's."""
    if not markup:
        builder.add(_spaced(source[position:end]), position, end)
        return
    while position < end and (token := _MARKDOWN.search(source, position, end)):
        builder.add(_spaced(source[position : token.start()]), position, token.start())
        position = _token(token, source, builder)
    builder.add(_spaced(source[position:end]), position, end)


def _token(token: re.Match[str], source: str, builder: ParagraphBuilder) -> int:
    """Add the prose or the citation of a token, and return where reading goes on."""
    start, end = token.span()
    match token.lastgroup:
        case "bracket":
            keys = [match["key"] for match in _IN_BRACKET.finditer(token[0])]
            builder.cite(keys, start, end, source[end : end + 20])
        case "key":
            locator = _LOCATOR.match(source, end)
            end = locator.end() if locator else end
            builder.cite([token["key"]], start, end, source[end : end + 20], not token["suppressed"])
        case "formula":
            builder.add(to_text(token[0]), start, end)
        case "code":
            builder.add(token[0][1:-1], start + 1, end - 1)
        case "address":
            builder.add(_spaced(token["link"]), token.start("link"), token.end("link"))
        case "escape":
            builder.add(token["escape"], start, end)
    return end


def _spaced(prose: str) -> str:
    """Return prose of the same length with blanks for line ends, and for the marks of quotations behind them."""
    lines = prose.split("\n")
    rest = [
        _QUOTE.sub(lambda match: " " * len(match[0]), line, count=1) if _QUOTE.match(line) else line for line in lines
    ]
    return " ".join(rest).replace("\t", " ").replace("\r", " ")

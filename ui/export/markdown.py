"""Write an answer in Markdown (CommonMark, with tables); everything that was not written here is escaped here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assistant.question.catalog_question import CATALOG
from assistant.schema import Answer, Cell, Citation, Paper, Strength
from assistant.tables.wording import cell_text
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.notices import notice_text
from assistant.text.printable import one_line, sentence_case
from assistant.text.titles import display_title
from ui.cli.terminal import describe_search, doubts, headed_lines, notes

# Characters with a meaning in Markdown, within a line and at its beginning; @, :// and www. would become links.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~&$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(\d*)([-+=.)])")
_MARKERS = re.compile(r"\[(\d+)\]")

# Writes what follows the value of a cell: nothing, or a link to its sentence.
CellMarker = Callable[[Paper, Cell], str]


def _no_marker(paper: Paper, cell: Cell) -> str:
    return ""


def answer_markdown(answer: Answer) -> Iterator[str]:
    """Yield the blocks of an answer: how it was searched for, its text, its table, its references or nearest papers."""
    if answer.model != CATALOG and (note := describe_search(answer)):
        yield f"*{markdown_text(note)}*"
    if answer.strength is Strength.TENTATIVE and answer.reason:
        yield f"*{markdown_text(answer.reason)}*"
    yield from (f"*{markdown_text(note)}*" for note in notes(answer))
    yield from (f"**{markdown_text(to_text(text))}**" for text in [answer.opening] if text)
    yield from _paragraphs(answer)
    yield from table_markdown(answer)
    if answer.citations:
        yield "### References"
        yield from map(_reference, answer.citations)
    if answer.nearest:
        yield "\n".join(["The nearest papers are:", "", *(f"- {_described(paper)}" for paper in answer.nearest)])


def _paragraphs(answer: Answer) -> Iterator[str]:
    """Yield the paragraphs of an answer, with links behind the citation numbers, then the doubtful sentences."""
    links = {str(citation.number): paper_url(citation.paper) for citation in answer.citations}
    for heading, line in headed_lines(answer):
        yield from ([f"### {markdown_text(to_text(heading))}"] if heading else [])
        yield with_links(one_line(to_text(line)), lambda number, _: linked_marker(number, links.get(number)))
    yield from (f"> {doubt} “{markdown_text(to_text(text))}”" for doubt, text in doubts(answer))


def table_markdown(answer: Answer, sentence: CellMarker = _no_marker) -> Iterator[str]:
    """Yield the table of an answer, each title with a link to its paper; `sentence` writes what follows a cell."""
    if answer.table is None or not answer.table.rows:
        return
    rows = [["Paper", *map(markdown_text, answer.table.columns)], ["---"] * (len(answer.table.columns) + 1)]
    for row in answer.table.rows:
        title, address = markdown_text(to_text(display_title(row.paper))), paper_url(row.paper)
        cells = [markdown_text(to_text(cell_text(cell))) + sentence(row.paper, cell) for cell in row.cells]
        rows.append([f"[{title}](<{address}>)" if address else title, *cells])
    yield "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    if answer.table.total > len(answer.table.rows):
        yield f"These are the first {len(answer.table.rows):,} of {answer.table.total:,} papers."


def with_links(line: str, marker: Callable[[str, str], str]) -> str:
    """Return a line of an answer; `marker` writes each citation number, from the number and the text before it."""
    text, *rest = _MARKERS.split(line)  # text and number in turn
    written, before = _inline(text), text
    for number, after in zip(rest[::2], rest[1::2], strict=True):
        written += marker(number, before) + _inline(after)
        before = after if after.strip() else before
    return _line(written)


def linked_marker(number: str, address: str | None) -> str:
    """Return a citation number as a link to an address, or without one."""
    return f"[\\[{number}\\]](<{address}>)" if address else f"\\[{number}\\]"


def _reference(citation: Citation) -> str:
    number = f"{citation.number}. "
    quoted = [f"{' ' * len(number)}> {markdown_text(to_text(passage.text))}" for passage in citation.passages]
    return "\n\n".join([number + _described(citation.paper), *quoted])


def _described(paper: Paper) -> str:
    """Return the authors, the linked title, the venue and the year."""
    title, address = markdown_text(to_text(display_title(paper))), paper_url(paper)
    linked = f"[{title}](<{address}>)" if address else f"*{title}*"
    notice = sentence_case(notice_text(paper.notice)) if paper.notice else ""
    parts = [
        f"**{markdown_text(notice)}**" if notice else "",
        markdown_text(", ".join(paper.authors)),
        linked,
        markdown_text(to_text(paper.venue or "")),
        str(paper.year or ""),
    ]
    return ". ".join(part.removesuffix(".") for part in parts if part)


def markdown_text(text: str) -> str:
    """Escape text so that Markdown shows it as it is, in one line."""
    return _line(_inline(one_line(text)))


def _inline(text: str) -> str:
    return _MARKDOWN.sub(lambda match: f"\\{match[0]}", text)


def _line(text: str) -> str:
    """Escape the beginning of a line that would start a list or a heading."""
    return _LINE_START.sub(lambda match: f"{match[1]}\\{match[2]}", text)

"""An answer as Markdown in which every citation is a link, with the place of each.

A citation leads to the paper on the web, and a sign behind it to the sentence on the paper's page of this server; a
paper that is not on the web has the second link alone. All that comes from papers, models and questions is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from assistant.schema import Answer, Cell, Paper, Passage, Strength
from assistant.text import sentences
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.cli.terminal import doubts, headed_lines, notes, opens_with_reason
from ui.export.markdown import linked_marker, markdown_text, table_markdown, with_links
from ui.page.render import closest

# Stands for the sentence of a citation; texts of others have no link.
_SENTENCE = "¶"
_LINKED = re.compile(rf"\[(?:\\\[(\d+)\\\]|{_SENTENCE})\]\(<([^<>]*)>\)")

# Returns the address of the page of a paper on this server, at a passage if there is one.
PageAddress = Callable[[Paper, Passage | None], str]


@dataclass(frozen=True, slots=True)
class UrlCitation:
    """A link at `start:end` of a Markdown text, to the paper of a citation."""

    start: int
    end: int
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class CitedMarkdown:
    """A Markdown text with the citations in it, in order."""

    text: str
    citations: tuple[UrlCitation, ...] = ()


def cited_markdown(answer: Answer, page: PageAddress, *, is_growing: bool = False) -> CitedMarkdown:
    """Return the answer as Markdown with its citations.

    An answer that `is_growing` is written without what is known only at its end, so that later texts extend it.
    """
    blocks = [*_text(answer, page), *(() if is_growing else _ending(answer, page))]
    return located("\n\n".join(blocks), answer)


def located(text: str, answer: Answer) -> CitedMarkdown:
    """Return a Markdown text of the answer with the places of its citations."""
    titles = {str(citation.number): display_title(citation.paper) for citation in answer.citations}
    citations, number = [], ""
    for match in _LINKED.finditer(text):
        number = match[1] or number  # the sign of a sentence stands behind the number
        if number in titles:
            citations.append(UrlCitation(*match.span(), match[2], one_line(to_text(titles[number]))))
    return CitedMarkdown(text, tuple(citations))


def reference_line(answer: Answer, page: PageAddress) -> str:
    """Return a line with a link to each cited paper."""
    markers = " ".join(f"[{citation.number}]" for citation in answer.citations)
    return with_links(f"Sources: {markers}", _markers(answer, page))


def up_to_sentence(answer: Answer) -> Answer:
    """Return a growing answer without its last sentence where that may be incomplete."""
    if answer.done or answer.sentences:
        return answer
    complete = [end for _, end in sentences.spans(answer.text)][:-1]
    return replace(answer, text=answer.text[: complete[-1]] if complete else "")


def _markers(answer: Answer, page: PageAddress) -> Callable[[str, str], str]:
    """Return what writes a citation number with its links; its sentence is known when the answer is complete."""
    cited = {str(citation.number): citation for citation in answer.citations}

    def written(number: str, text: str) -> str:
        if number not in cited:
            return linked_marker(number, None)
        paper, passages = cited[number].paper, cited[number].passages if answer.done else ()
        passage = passages[closest(text, passages)] if passages else None
        url, sentence = paper_url(paper), page(paper, passage)
        return linked_marker(number, url or sentence) + (f"[{_SENTENCE}](<{sentence}>)" if url and passage else "")

    return written


def _text(answer: Answer, page: PageAddress) -> Iterator[str]:
    if answer.read_as:
        yield f"*Read as: {markdown_text(answer.read_as)}*"
    if answer.opening:
        yield f"**{markdown_text(to_text(answer.opening))}**"
    for heading, line in headed_lines(answer):
        yield from ([f"### {markdown_text(to_text(heading))}"] if heading else [])
        yield with_links(one_line(to_text(line)), _markers(answer, page))


def _ending(answer: Answer, page: PageAddress) -> Iterator[str]:
    numbers = {citation.paper.id: str(citation.number) for citation in answer.citations}
    yield from table_markdown(answer, lambda paper, cell: _cell_link(numbers.get(paper.id), paper, cell, page))
    yield from (f"> {doubt} “{markdown_text(to_text(text))}”" for doubt, text in doubts(answer))
    if answer.strength is Strength.TENTATIVE and answer.reason and not opens_with_reason(answer):
        yield f"*{markdown_text(answer.reason)}*"
    yield from (f"*{markdown_text(note)}*" for note in notes(answer))
    if answer.nearest:
        yield "\n".join(["The nearest papers are:", "", *(_item(paper, page) for paper in answer.nearest)])


def _cell_link(number: str | None, paper: Paper, cell: Cell, page: PageAddress) -> str:
    """Return the number of a paper as a link to the sentence of a cell; empty without a sentence."""
    return f" {linked_marker(number, page(paper, cell.passage))}" if number and cell.passage else ""


def _item(paper: Paper, page: PageAddress) -> str:
    return f"- [{markdown_text(to_text(display_title(paper)))}](<{paper_url(paper) or page(paper, None)}>)"

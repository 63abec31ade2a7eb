"""An answer as Markdown in which every citation is a link, with the place of each.

Everything that comes from papers, models and questions is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from assistant.schema import Answer, Paper, Strength
from assistant.text import sentences
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.cli.terminal import doubts, headed_lines, notes, opens_with_reason
from ui.export.markdown import markdown_text, table_markdown, with_links

_LINKED = re.compile(r"\[\\\[(\d+)\\\]\]\(<([^<>]*)>\)")


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


def cited_markdown(answer: Answer, address: Callable[[Paper], str], *, is_growing: bool = False) -> CitedMarkdown:
    """Return the answer as Markdown; `address` returns the URL of a paper.

    An answer that `is_growing` is written without what is known only at its end, so that later texts extend it.
    """
    links = {str(citation.number): address(citation.paper) for citation in answer.citations}
    blocks = [*_text(answer, links), *(() if is_growing else _ending(answer, address))]
    return located("\n\n".join(blocks), answer)


def located(text: str, answer: Answer) -> CitedMarkdown:
    """Return a Markdown text of the answer with the places of its citations."""
    titles = {str(citation.number): display_title(citation.paper) for citation in answer.citations}
    found = (match for match in _LINKED.finditer(text) if match[1] in titles)
    citations = (UrlCitation(*match.span(), match[2], one_line(to_text(titles[match[1]]))) for match in found)
    return CitedMarkdown(text, tuple(citations))


def reference_line(answer: Answer, address: Callable[[Paper], str]) -> str:
    """Return a line with a link to each cited paper."""
    links = {str(citation.number): address(citation.paper) for citation in answer.citations}
    return with_links(f"Sources: {' '.join(f'[{citation.number}]' for citation in answer.citations)}", links)


def up_to_sentence(answer: Answer) -> Answer:
    """Return a growing answer without its last sentence where that may be incomplete."""
    if answer.done or answer.sentences:
        return answer
    complete = [end for _, end in sentences.spans(answer.text)][:-1]
    return replace(answer, text=answer.text[: complete[-1]] if complete else "")


def _text(answer: Answer, links: dict[str, str]) -> Iterator[str]:
    if answer.opening:
        yield f"**{markdown_text(to_text(answer.opening))}**"
    for heading, line in headed_lines(answer):
        yield from ([f"### {markdown_text(to_text(heading))}"] if heading else [])
        yield with_links(one_line(to_text(line)), links)


def _ending(answer: Answer, address: Callable[[Paper], str]) -> Iterator[str]:
    yield from table_markdown(answer)
    yield from (f"> {doubt} “{markdown_text(to_text(text))}”" for doubt, text in doubts(answer))
    if answer.strength is Strength.TENTATIVE and answer.reason and not opens_with_reason(answer):
        yield f"*{markdown_text(answer.reason)}*"
    yield from (f"*{markdown_text(note)}*" for note in notes(answer))
    if answer.nearest:
        titles = (f"- [{markdown_text(to_text(display_title(paper)))}](<{address(paper)}>)" for paper in answer.nearest)
        yield "\n".join(["The nearest papers are:", "", *titles])

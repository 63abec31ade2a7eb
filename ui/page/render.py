"""Render texts, papers and citations as HTML, for the page and for transcripts.

All text that was not written here is escaped here, and none of it becomes a link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from assistant.schema import Citation, Paper, Passage
from assistant.text.latex import Segment, segments, to_text
from assistant.text.links import zotero_links
from assistant.text.notices import notice_text, state_text
from assistant.text.printable import one_line, printable, sentence_case
from assistant.text.titles import display_title

Write = Callable[[str], str]


def typeset_html(text: str) -> str:
    """Escape text for the parts of the page that typeset formulas, which are marked with `\\(` and `\\)`."""
    return "".join(map(_segment_html, segments(printable(text)))).replace("\n", "<br>")


def plain_html(text: str) -> str:
    """Escape text for places that do not typeset formulas, which become plain characters."""
    return escape(to_text(printable(text))).replace("\n", "<br>")


def abstract_html(paper: Paper, passages: Sequence[Passage], anchor: str, write: Write) -> str:
    """Return the abstract with the passages highlighted; highlight k has the id `anchor`-k, counted from 1."""
    return f'<p class="abstract">{"".join(_highlighted(paper.abstract, passages, anchor, write))}</p>'


def about_html(paper: Paper, write: Write) -> str:
    """Return a line of authors and one of year and venue, without those that are missing, below a retraction."""
    about = " · ".join(str(part) for part in (paper.year, paper.venue) if part)
    lines = (("authors", ", ".join(paper.authors)), ("about", about))
    return notice_html(paper, write) + "".join(f'<p class="{kind}">{write(line)}</p>' for kind, line in lines if line)


def notice_html(paper: Paper, write: Write) -> str:
    """Return a line that says that a paper was retracted, or the like; empty where nothing was announced."""
    if not paper.notice:
        return ""
    return f'<p class="notice">{write(sentence_case(one_line(notice_text(paper.notice))))}</p>'


def state_html(paper: Paper) -> str:
    """Return a word that marks a paper in a list as retracted, or the like; empty where nothing was announced."""
    return f' <span class="warned">{state_text(paper.notice)}</span>' if paper.notice else ""


def zotero_html(paper: Paper) -> str:
    """Return a line with links that select the items of a paper in Zotero; empty where it has none."""
    links = [f'<a href="{escape(link)}">Show in Zotero</a>' for link in zotero_links(paper)]
    return f'<p class="about">{" ".join(links)}</p>' if links else ""


def anchor(turn: int, number: int) -> str:
    """Return the id of a citation's card."""
    return f"source-{turn}-{number}"


def citation_link(number: int, turn: int, text: str, citations: Sequence[Citation]) -> str:
    """Return a link to the passage of the citation that shares most words with the text, and show it as a hint."""
    target, title = _target(number, turn, text, citations)
    notice = next((cited.paper.notice for cited in citations if cited.number == number and cited.paper.notice), None)
    state = f" {state_text(notice)}" if notice else ""
    kind = "cite warned" if notice else "cite"
    return f'<a class="{kind}" href="#{target}"{title} aria-label="Source {number}{state}">[{number}{state}]</a>'


def title_link(citation: Citation, turn: int, text: str, write: Write) -> str:
    """Return the title of a paper as a link to its passage that shares most words with the text."""
    target, title = _target(citation.number, turn, text, (citation,))
    number = f'<span class="number">[{citation.number}]</span>{state_html(citation.paper)}'
    return f'<a class="cite work" href="#{target}"{title}>{number} {write(one_line(display_title(citation.paper)))}</a>'


def closest(text: str, passages: Sequence[Passage]) -> int:
    """Return the position of the passage, of one or more, that shares most words with the text."""
    return max(range(len(passages)), key=lambda index: (_shared_words(text, passages[index].text), -index))


def error_html(message: str) -> str:
    """Return an error message."""
    return block("error", f"<p>{plain_html(message)}</p>")


def block(kind: str, inner: str) -> str:
    """Return a part of the page of this class."""
    # Without an empty line: after one, the chat component would read Markdown again.
    return f'<div class="{kind}">{inner}</div>'


def _segment_html(segment: Segment) -> str:
    return f"\\({escape(segment.formula)}\\)" if segment.formula else escape(segment.text)


def _highlighted(abstract: str, passages: Sequence[Passage], anchor: str, write: Write) -> Iterator[str]:
    # Offsets refer to the stored abstract: each slice is rendered after it has been cut.
    end = 0
    for number, passage in sorted(enumerate(passages, start=1), key=lambda numbered: numbered[1].start):
        yield write(abstract[end : passage.start])
        yield f'<mark id="{anchor}-{number}">{write(abstract[max(end, passage.start) : passage.end])}</mark>'
        end = max(end, passage.end)
    yield write(abstract[end:])


def _target(number: int, turn: int, text: str, citations: Sequence[Citation]) -> tuple[str, str]:
    """Return the id that a citation of the text leads to, and the attribute that shows the passage as a hint."""
    passages = next((citation.passages for citation in citations if citation.number == number), ())
    if not passages:
        return anchor(turn, number), ""
    best = closest(text, passages)
    return f"{anchor(turn, number)}-{best + 1}", f' title="{escape(one_line(to_text(passages[best].text)))}"'


def _shared_words(first: str, second: str) -> int:
    return len(set(first.casefold().split()) & set(second.casefold().split()))

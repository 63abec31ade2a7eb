"""Show an answer in a notebook: as HTML, with its quotations and the papers behind them.

Everything that comes from papers, questions and models is escaped. The styles are inline, since a notebook has no page
of ours around the answer, and take the colours of the notebook's theme.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from assistant.schema import Answer, Citation, Paper, Passage, Strength
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.titles import display_title

_STRENGTHS = {Strength.FIRM: "Firm answer", Strength.TENTATIVE: "Partial answer", Strength.NONE: "No answer"}
_MUTED = 'style="opacity:.7"'


def answer_html(answer: Answer) -> str:
    """Return the answer as HTML: what was asked, how sure it is, its text, and each paper with the cited sentences."""
    return f'<div class="paperchat-answer">{"".join(_parts(answer))}</div>'


def _parts(answer: Answer) -> Iterator[str]:
    yield f"<p><strong>{escape(answer.question)}</strong></p>"
    about = f"{_STRENGTHS[answer.strength]} · confidence {answer.confidence:.2f} · {answer.searched:,} papers searched"
    yield f"<p {_MUTED}>{escape(about)}</p>"
    if answer.read_as:
        yield f"<p {_MUTED}>Read as: {escape(answer.read_as)}</p>"
    if answer.opening:
        yield f"<p {_MUTED}>{_text(answer.opening)}</p>"
    yield from (f"<p>{_text(line)}</p>" for line in answer.text.splitlines() if line.strip())
    if answer.citations:
        yield f"<ol>{''.join(map(_source, answer.citations))}</ol>"
    if answer.nearest:
        yield f"<p {_MUTED}>The nearest papers:</p><ul>{''.join(map(_nearest, answer.nearest))}</ul>"


def _source(citation: Citation) -> str:
    quotations = "".join(f"<blockquote>{_text(passage.text)}</blockquote>" for passage in citation.passages)
    details = f"<details><summary>Abstract</summary>{_marked(citation.paper.abstract, citation.passages)}</details>"
    return f'<li value="{citation.number}">{_paper(citation.paper)}{quotations}{details}</li>'


def _nearest(paper: Paper) -> str:
    return f"<li>{_paper(paper)}</li>"


def _paper(paper: Paper) -> str:
    """Return title, authors and year; the title is a link where the paper has an address."""
    title, url = _text(display_title(paper)), paper_url(paper)
    linked = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{title}</a>' if url else title
    about = ", ".join([*paper.authors, *([str(paper.year)] if paper.year else [])])
    return f"{linked}<br><span {_MUTED}>{escape(about)}</span>" if about else linked


def _marked(abstract: str, passages: Sequence[Passage]) -> str:
    """Return the abstract with the cited passages marked."""
    pieces, end = [], 0
    for passage in sorted(passages, key=lambda passage: passage.start):
        start = max(end, passage.start)
        pieces += [_text(abstract[end:start]), f"<mark>{_text(abstract[start : passage.end])}</mark>"]
        end = max(end, passage.end)
    return "".join([*pieces, _text(abstract[end:])])


def _text(text: str) -> str:
    """Return text as HTML, with LaTeX as characters."""
    return escape(to_text(text))

"""Answers to HTML for the page. Every text that is not ours is escaped here, and nowhere is it made a link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Turn
from ui.latex import FORMULA
from ui.terminal import DOUBTS, QUOTED_INSTEAD, heading, notes, printable, searched


def question_html(question: str) -> str:
    """A question as it was typed."""
    return _block("question", text_html(question))


def answer_html(answer: Answer, turn: int) -> str:
    """An answer or abstention; its citations link to the cards of the same turn (see `cards_html`)."""
    note = searched(answer.question, answer.standalone, answer.filters, answer.scope)
    note = f'<p class="note">{text_html(note)}</p>' if note else ""
    note += "".join(f'<p class="note">{text_html(_sentence_case(each))}.</p>' for each in notes(answer))
    if not answer.answered:
        return _block("abstention", f"{note}<p>{text_html(answer.text)}</p>{_nearest(answer.nearest)}")
    note += f'<p class="note">{text_html(_sentence_case(answer.reason))}.</p>' if answer.reason else ""
    body = "".join(_paragraph(sentence, turn) for sentence in answer.sentences) or _streaming(answer, turn)
    return _block("answer", note + body)


def cards_html(turns: Sequence[Turn]) -> str:
    """The sources of a conversation, the newest answer's first: a card for each citation."""
    parts = [_cards(number, turn) for number, turn in enumerate(turns, start=1) if turn.answer.citations]
    if not parts:
        return _block("sources empty", "<p>The abstracts behind an answer appear here.</p>")
    return _block("sources", "".join(reversed(parts)))


def sources_html(answer: Answer, turn: int) -> str:
    """A card for each citation of the answer of a turn: what its links lead to."""
    return "".join(_card(citation, turn) for citation in answer.citations)


def waiting_html(message: str) -> str:
    """What is being done until there is an answer."""
    return _block("waiting", f"<p>{text_html(message)}</p>")


def error_html(message: str) -> str:
    """An error, for the person."""
    return _block("error", f"<p>{text_html(message)}</p>")


def text_html(text: str) -> str:
    """Text as text: escaped, without control characters, `$...$` marked as mathematics."""
    marked = FORMULA.sub(lambda found: f"\\({found[0][1:-1]}\\)", escape(printable(text)))
    return marked.replace("\n", "<br>")


def _paragraph(sentence: Sentence, turn: int) -> str:
    doubt = DOUBTS.get(sentence.verdict)
    title = f' title="{doubt}"' if doubt else ""
    numbers = "".join(_link(number, turn) for number in sentence.citations)
    if sentence.replaces is not None:
        numbers += f'<br><span class="note">{QUOTED_INSTEAD} “{text_html(sentence.replaces)}”</span>'
    return f'<p><span class="{sentence.verdict}"{title}>{text_html(sentence.text)}</span> {numbers}</p>'


def _streaming(answer: Answer, turn: int) -> str:
    """The text so far of a model that is still writing."""
    links = {f"[{citation.number}]": _link(citation.number, turn) for citation in answer.citations}
    linked = re.sub(r"\[\d+\]", lambda marker: links.get(marker[0], marker[0]), text_html(answer.text))
    return f"<p>{linked}</p>"


def _link(number: int, turn: int) -> str:
    return f'<a class="cite" href="#{_anchor(turn, number)}" aria-label="Source {number}">[{number}]</a>'


def _cards(number: int, turn: Turn) -> str:
    return f'<section><h3 class="asked">{text_html(turn.question)}</h3>{sources_html(turn.answer, number)}</section>'


def _card(citation: Citation, turn: int) -> str:
    paper = citation.paper
    authors = f'<p class="authors">{_escaped(", ".join(paper.authors))}</p>' if paper.authors else ""
    about = " · ".join(str(part) for part in (paper.year, paper.venue) if part)
    return (
        f'<article class="card" id="{_anchor(turn, citation.number)}" tabindex="-1">'
        f'<h4><span class="number">[{citation.number}]</span> {_escaped(heading(paper))}</h4>{authors}'
        f"{f'<p class=about>{_escaped(about)}</p>' if about else ''}"
        f'<p class="abstract">{"".join(_highlighted(paper.abstract, citation.passages))}</p></article>'
    )


def _highlighted(abstract: str, passages: Sequence[Passage]) -> Iterator[str]:
    """The abstract, escaped, with the passages marked."""
    at = 0
    for passage in sorted(passages, key=lambda each: each.start):
        yield _escaped(abstract[at : passage.start])
        yield f"<mark>{_escaped(abstract[max(at, passage.start) : passage.end])}</mark>"
        at = max(at, passage.end)
    yield _escaped(abstract[at:])


def _nearest(papers: Sequence[Paper]) -> str:
    if not papers:
        return ""
    items = "".join(f"<li>{_escaped(heading(paper))}</li>" for paper in papers)
    return f"<p>The nearest papers are:</p><ul>{items}</ul>"


def _anchor(turn: int, number: int) -> str:
    return f"source-{turn}-{number}"


def _block(kind: str, inner: str) -> str:
    # No empty line may stand in it: behind one, the chat component would read Markdown again.
    return f'<div class="{kind}">{inner}</div>'


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]

"""Render answers as HTML, for the page and for transcripts.

All text that was not written here is escaped here, and none of it becomes a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from html import escape

from assistant.citations import numbers, strip_trailing
from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Verdict
from assistant.text.latex import Segment, segments, to_text
from assistant.text.printable import one_line, printable
from assistant.text.titles import display_title
from assistant.verification.verify import split_sentences
from ui.cli.terminal import DOUBTS, QUOTED_INSTEAD, describe_search, notes

Write = Callable[[str], str]


def typeset_html(text: str) -> str:
    """Escape text for the parts of the page that typeset formulas, which are marked with `\\(` and `\\)`."""
    return "".join(map(_segment_html, segments(printable(text)))).replace("\n", "<br>")


def plain_html(text: str) -> str:
    """Escape text for places that do not typeset formulas, which become plain characters."""
    return escape(to_text(printable(text))).replace("\n", "<br>")


def answer_html(answer: Answer, turn: int) -> str:
    """Return an answer for a transcript, headed by what was searched for where that differs from the question."""
    note = describe_search(answer.question, answer.standalone, answer.filters, answer.scope)
    return (f'<p class="note">{plain_html(note)}</p>' if note else "") + reply_html(answer, turn, plain_html)


def reply_html(answer: Answer, turn: int, write: Write = typeset_html) -> str:
    """Return an answer or abstention; its citations link to the marked sentences in the cards of the same turn."""
    note = "".join(f'<p class="note">{write(_sentence_case(note))}.</p>' for note in notes(answer))
    if not answer.answered:
        return _block("abstention", f"{note}<p>{write(answer.text)}</p>{_nearest(answer.nearest, write)}")
    note += f'<p class="note">{write(_sentence_case(answer.reason))}.</p>' if answer.reason else ""
    checked = answer.sentences or _unchecked(answer)
    return _block("answer", note + "".join(_paragraph(sentence, answer, turn, write) for sentence in checked))


def sources_html(answer: Answer, turn: int) -> str:
    """Return a card for each citation of an answer in a transcript."""
    return "".join(_card(citation, turn) for citation in answer.citations)


def abstract_html(paper: Paper, passages: Sequence[Passage], anchor: str, write: Write) -> str:
    """Return the abstract with the passages highlighted; highlight k has the id `anchor`-k, counted from 1."""
    return f'<p class="abstract">{"".join(_highlighted(paper.abstract, passages, anchor, write))}</p>'


def about_html(paper: Paper, write: Write) -> str:
    """Return a line of authors and a line of year and venue, without those that are missing."""
    about = " · ".join(str(part) for part in (paper.year, paper.venue) if part)
    lines = (("authors", ", ".join(paper.authors)), ("about", about))
    return "".join(f'<p class="{kind}">{write(line)}</p>' for kind, line in lines if line)


def anchor(turn: int, number: int) -> str:
    """Return the id of a citation's card."""
    return f"source-{turn}-{number}"


def error_html(message: str) -> str:
    """Return an error message."""
    return _block("error", f"<p>{plain_html(message)}</p>")


def _segment_html(segment: Segment) -> str:
    return f"\\({escape(segment.formula)}\\)" if segment.formula else escape(segment.text)


def _paragraph(sentence: Sentence, answer: Answer, turn: int, write: Write) -> str:
    doubt = DOUBTS.get(sentence.verdict)
    title = f' title="{doubt}"' if doubt else ""
    links = {number: _link(number, turn, sentence.text, answer.citations) for number in sentence.citations}
    inline = set(numbers(sentence.text))
    behind = "".join(link for number, link in links.items() if number not in inline)
    if sentence.verdict is Verdict.CONTRADICTED:
        behind += f'<br><span class="note">{doubt}</span>'
    if sentence.replaces is not None:
        behind += f'<br><span class="note">{QUOTED_INSTEAD} “{write(sentence.replaces)}”</span>'
    return f'<p><span class="{sentence.verdict}"{title}>{_linked(write(sentence.text), links)}</span> {behind}</p>'


def _linked(html: str, links: Mapping[int, str]) -> str:
    """Return the HTML of a sentence with a link for each marker that stands in it like a word."""
    return re.sub(r"\[(\d{1,6})\]", lambda marker: links.get(int(marker[1]), marker[0]), html)


def _unchecked(answer: Answer) -> Iterator[Sentence]:
    """Yield the sentences of a model that is still writing, laid out as they will be once they are checked."""
    cited = {citation.number for citation in answer.citations}
    return (_unchecked_sentence(text, cited) for text in split_sentences(answer.text))


def _unchecked_sentence(text: str, cited: Collection[int]) -> Sentence:
    numbered = tuple(number for number in numbers(text) if number in cited)
    return Sentence(strip_trailing(text), numbered, Verdict.UNCHECKED, 0.0)


def _link(number: int, turn: int, text: str, citations: Sequence[Citation]) -> str:
    """Return a link to the passage of the citation that shares most words with the text, and show it as a hint."""
    passages = next((citation.passages for citation in citations if citation.number == number), ())
    target, title = anchor(turn, number), ""
    if passages:
        best = max(range(len(passages)), key=lambda index: (_shared_words(text, passages[index].text), -index))
        target, title = f"{target}-{best + 1}", f' title="{escape(one_line(to_text(passages[best].text)))}"'
    return f'<a class="cite" href="#{target}"{title} aria-label="Source {number}">[{number}]</a>'


def _shared_words(first: str, second: str) -> int:
    return len(set(first.casefold().split()) & set(second.casefold().split()))


def _card(citation: Citation, turn: int) -> str:
    name = anchor(turn, citation.number)
    return (
        f'<article class="card" id="{name}" tabindex="-1"><h4><span class="number">[{citation.number}]</span> '
        f"{plain_html(display_title(citation.paper))}</h4>{about_html(citation.paper, plain_html)}"
        f"{abstract_html(citation.paper, citation.passages, name, plain_html)}</article>"
    )


def _highlighted(abstract: str, passages: Sequence[Passage], anchor: str, write: Write) -> Iterator[str]:
    # Offsets refer to the stored abstract: each slice is rendered after it has been cut.
    end = 0
    for number, passage in sorted(enumerate(passages, start=1), key=lambda numbered: numbered[1].start):
        yield write(abstract[end : passage.start])
        yield f'<mark id="{anchor}-{number}">{write(abstract[max(end, passage.start) : passage.end])}</mark>'
        end = max(end, passage.end)
    yield write(abstract[end:])


def _nearest(papers: Sequence[Paper], write: Write) -> str:
    if not papers:
        return ""
    items = "".join(f"<li>{write(display_title(paper))}</li>" for paper in papers)
    return f"<p>The nearest papers are:</p><ul>{items}</ul>"


def _block(kind: str, inner: str) -> str:
    # Without an empty line: after one, the chat component would read Markdown again.
    return f'<div class="{kind}">{inner}</div>'


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]

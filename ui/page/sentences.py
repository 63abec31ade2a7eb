"""Render the sentences of an answer: a quotation with what matters in it, or a statement with its verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assistant.citations import numbers
from assistant.schema import Answer, Passage, Sentence, Verdict
from assistant.text.latex import whole_span
from ui.cli.terminal import DOUBTS, QUOTED_INSTEAD
from ui.page.render import Write, citation_link

_MARKER = re.compile(r"\[(\d{1,6})\]")
_Span = tuple[int, int]


def statement_html(sentence: Sentence, answer: Answer, turn: int, write: Write) -> str:
    """Return a paragraph with the sentence, its citations behind it, and what verification has to say about it."""
    doubt = DOUBTS.get(sentence.verdict)
    title = f' title="{doubt}"' if doubt else ""
    links = {number: citation_link(number, turn, sentence.text, answer.citations) for number in sentence.citations}
    inline = set(numbers(sentence.text))
    behind = "".join(link for number, link in links.items() if number not in inline)
    if sentence.verdict is Verdict.CONTRADICTED:
        behind += f'<br><span class="note">{doubt}</span>'
    if sentence.replaces is not None:
        behind += f'<br><span class="note">{QUOTED_INSTEAD} “{write(sentence.replaces)}”</span>'
    text = _linked(marked_html(sentence, write), links)
    return f'<p><span class="{sentence.verdict}"{title}>{text}</span> {behind}</p>'


def quotation_html(sentences: Sequence[Sentence], answer: Answer, turn: int, write: Write) -> str:
    """Return quoted sentences of one paper in a row, with dots where the abstract has others between them.

    Where several of them answer, each has a link to its place in the abstract.
    """
    number = sentences[0].citations[0]
    passages = next((citation.passages for citation in answer.citations if citation.number == number), ())
    located = {passage.text: passage for passage in passages}
    has_links = sum(not sentence.is_context for sentence in sentences) > 1
    parts, previous = [], None
    for sentence in sentences:
        passage = located.get(sentence.text)
        parts += ['<span class="gap">…</span>'] if _has_gap(previous, passage) else []
        link = citation_link(number, turn, sentence.text, answer.citations) if has_links else ""
        parts.append(_quoted_html(sentence, write, "" if sentence.is_context else link))
        previous = passage
    return f"<blockquote><p>{' '.join(parts)}</p></blockquote>"


def marked_html(sentence: Sentence, write: Write) -> str:
    """Return the text of a sentence: its lead subdued, and what was asked for emphasised.

    The offsets refer to the stored text, so it is cut before it is escaped and typeset.
    """
    text, parts, end = sentence.text, [], 0
    for (start, stop), kind in _pieces(sentence):
        parts += [write(text[end:start]), _wrapped(write(text[start:stop]), kind)]
        end = stop
    return "".join([*parts, write(text[end:])])


def _quoted_html(sentence: Sentence, write: Write, link: str) -> str:
    text = marked_html(sentence, write)
    return f'<span class="context">{text}</span>' if sentence.is_context else f"{text}{link}"


def _has_gap(previous: Passage | None, passage: Passage | None) -> bool:
    """Return whether the abstract has more than a blank or two between two passages, or has them in another order."""
    if previous is None or passage is None:
        return False
    return not 0 <= passage.start - previous.end <= 2


def _pieces(sentence: Sentence) -> Iterator[tuple[_Span, str]]:
    """Yield the spans to show differently, in order, without those that overlap or lie outside of the text."""
    length, end = len(sentence.text), 0
    spans = [((0, sentence.lead), "lead")] if sentence.lead > 0 else []
    spans += [(span, "emphasis") for span in sorted(sentence.emphasis)]
    for (start, stop), kind in spans:
        start, stop = whole_span(sentence.text, max(0, start), min(stop, length))
        if end <= start < stop:
            yield (start, stop), kind
            end = stop


def _wrapped(html: str, kind: str) -> str:
    return f"<strong>{html}</strong>" if kind == "emphasis" else f'<span class="lead">{html}</span>'


def _linked(html: str, links: Mapping[int, str]) -> str:
    """Return the HTML of a sentence with a link for each marker that stands in it like a word."""
    return _MARKER.sub(lambda marker: links.get(int(marker[1]), marker[0]), html)

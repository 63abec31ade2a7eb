"""Answers to HTML, for the page and for transcripts.

Every text that is not ours is escaped here, and nowhere is it made a link.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from html import escape

from assistant.citations import numbers, strip
from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Verdict
from assistant.text.printable import printable
from assistant.text.titles import display_title
from assistant.verification.verify import split_sentences
from ui.cli.terminal import DOUBTS, QUOTED_INSTEAD, notes, searched
from ui.export.latex import FORMULA


def question_html(question: str) -> str:
    """A question as it was typed."""
    return _block("question", text_html(question))


def answer_html(answer: Answer, turn: int) -> str:
    """What was searched for, where that is not what was typed, and the answer (see `reply_html`)."""
    note = searched(answer.question, answer.standalone, answer.filters, answer.scope)
    return (f'<p class="note">{text_html(note)}</p>' if note else "") + reply_html(answer, turn)


def reply_html(answer: Answer, turn: int) -> str:
    """An answer or abstention; its citations link to the sentences behind it in the cards of the same turn."""
    note = "".join(f'<p class="note">{text_html(_sentence_case(each))}.</p>' for each in notes(answer))
    if not answer.answered:
        return _block("abstention", f"{note}<p>{text_html(answer.text)}</p>{_nearest(answer.nearest)}")
    note += f'<p class="note">{text_html(_sentence_case(answer.reason))}.</p>' if answer.reason else ""
    body = "".join(_paragraph(sentence, answer, turn) for sentence in answer.sentences) or _streaming(answer, turn)
    return _block("answer", note + body)


def sources_html(answer: Answer, turn: int) -> str:
    """A card for each citation of the answer of a turn: what its links lead to."""
    return "".join(_card(citation, turn) for citation in answer.citations)


def abstract_html(paper: Paper, passages: Sequence[Passage], anchor: str, write: Callable[[str], str]) -> str:
    """The abstract with the passages marked; `write` escapes its text, `anchor` begins the name of each mark."""
    return f'<p class="abstract">{"".join(_highlighted(paper.abstract, passages, anchor, write))}</p>'


def anchor(turn: int, number: int) -> str:
    """The name of the card of a citation."""
    return f"source-{turn}-{number}"


def error_html(message: str) -> str:
    """An error, for the person."""
    return _block("error", f"<p>{text_html(message)}</p>")


def text_html(text: str) -> str:
    """Text as text: escaped, without control characters, `$...$` marked as mathematics."""
    marked = FORMULA.sub(lambda found: f"\\({found[0][1:-1]}\\)", escape(printable(text)))
    return marked.replace("\n", "<br>")


def _paragraph(sentence: Sentence, answer: Answer, turn: int) -> str:
    doubt = DOUBTS.get(sentence.verdict)
    title = f' title="{doubt}"' if doubt else ""
    numbers = "".join(_link(number, turn, sentence.text, answer.citations) for number in sentence.citations)
    if sentence.replaces is not None:
        numbers += f'<br><span class="note">{QUOTED_INSTEAD} “{text_html(sentence.replaces)}”</span>'
    return f'<p><span class="{sentence.verdict}"{title}>{text_html(sentence.text)}</span> {numbers}</p>'


def _streaming(answer: Answer, turn: int) -> str:
    """The text so far of a model that is still writing, laid out as it will be when its sentences are checked."""
    known = {each.number for each in answer.citations}
    return "".join(_paragraph(_unchecked(each, known), answer, turn) for each in split_sentences(answer.text))


def _unchecked(text: str, known: Collection[int]) -> Sentence:
    numbered = tuple(number for number in numbers(text) if number in known)
    return Sentence(strip(text), numbered, Verdict.UNCHECKED, 0.0)


def _link(number: int, turn: int, said: str, citations: Sequence[Citation]) -> str:
    """Leads to the passage of the citation that is most like what was said, and shows it to whoever points at it."""
    passages = next((each.passages for each in citations if each.number == number), ())
    where, title = anchor(turn, number), ""
    if passages:
        best = max(range(len(passages)), key=lambda at: (_alike(said, passages[at].text), -at))
        where, title = f"{where}-{best + 1}", f' title="{_escaped(passages[best].text)}"'
    return f'<a class="cite" href="#{where}"{title} aria-label="Source {number}">[{number}]</a>'


def _alike(one: str, other: str) -> int:
    """How many words two texts share."""
    return len(set(one.casefold().split()) & set(other.casefold().split()))


def _card(citation: Citation, turn: int) -> str:
    name = anchor(turn, citation.number)
    return (
        f'<article class="card" id="{name}" tabindex="-1"><h4><span class="number">[{citation.number}]</span> '
        f"{_escaped(display_title(citation.paper))}</h4>{about_html(citation.paper, _escaped)}"
        f"{abstract_html(citation.paper, citation.passages, name, _escaped)}</article>"
    )


def about_html(paper: Paper, write: Callable[[str], str]) -> str:
    """Authors, year and venue, as far as they are known."""
    about = " · ".join(str(part) for part in (paper.year, paper.venue) if part)
    lines = (("authors", ", ".join(paper.authors)), ("about", about))
    return "".join(f'<p class="{kind}">{write(line)}</p>' for kind, line in lines if line)


def _highlighted(abstract: str, passages: Sequence[Passage], anchor: str, write: Callable[[str], str]) -> Iterator[str]:
    """The abstract with the passages marked; mark k has the name of passage k, counted from 1."""
    at = 0
    for number, passage in sorted(enumerate(passages, start=1), key=lambda each: each[1].start):
        yield write(abstract[at : passage.start])
        yield f'<mark id="{anchor}-{number}">{write(abstract[max(at, passage.start) : passage.end])}</mark>'
        at = max(at, passage.end)
    yield write(abstract[at:])


def _nearest(papers: Sequence[Paper]) -> str:
    if not papers:
        return ""
    items = "".join(f"<li>{_escaped(display_title(paper))}</li>" for paper in papers)
    return f"<p>The nearest papers are:</p><ul>{items}</ul>"


def _block(kind: str, inner: str) -> str:
    # No empty line may stand in it: behind one, the chat component would read Markdown again.
    return f'<div class="{kind}">{inner}</div>'


def _escaped(text: str) -> str:
    return escape(printable(text)).replace("\n", "<br>")


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]

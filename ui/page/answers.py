"""Render answers as HTML, for the page and for transcripts.

A quoted answer has an entry for each paper: its title, then the sentences that answer. One that a language model wrote
is a series of statements. All text that was not written here is escaped here or in `ui.page.render`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from assistant.citations import numbers, strip_trailing
from assistant.digest.digest import NAME as QUOTED
from assistant.question.catalog_question import CATALOG
from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Strength, Verdict
from assistant.text.printable import one_line, sentence_case
from assistant.text.titles import display_title, short_authors
from assistant.verification.verify import split_sentences
from ui.cli.terminal import counted, describe_search, notes
from ui.page.paper_table import paper_table_html, unlisted_citations
from ui.page.render import Write, about_html, abstract_html, anchor, block, plain_html, title_link, typeset_html
from ui.page.sentences import quotation_html, statement_html

# Entries that are shown before the rest is folded away.
_MAX_OPEN_ENTRIES = 5


def answer_html(answer: Answer, turn: int) -> str:
    """Return an answer for a transcript, headed by what was searched for where that differs from the question."""
    note = describe_search(answer)
    lines = [note] if note else []
    strength, reason = strength_text(answer)
    lines += [f"{strength}: {reason}."] if reason else []
    return "".join(f'<p class="note">{plain_html(line)}</p>' for line in lines) + reply_html(answer, turn, plain_html)


def reply_html(answer: Answer, turn: int, write: Write = typeset_html) -> str:
    """Return an answer or abstention; its citations link to the marked sentences in the cards of the same turn."""
    note = "".join(f'<p class="note">{write(sentence_case(note))}.</p>' for note in notes(answer))
    note += f'<p class="opening">{write(one_line(answer.opening))}</p>' if answer.opening else ""
    table = paper_table_html(answer, turn, write)
    if not answer.answered:
        return block("abstention", f"{note}<p>{write(answer.text)}</p>{table}{_nearest(answer.nearest, write)}")
    return block("answer", note + _body(answer, turn, write) + table)


def sources_html(answer: Answer, turn: int) -> str:
    """Return a card for each paper that a transcript's answer cites, and for the others of its table."""
    cited = "".join(_card(citation, turn) for citation in answer.citations)
    return cited + "".join(_plain_card(*unlisted) for unlisted in unlisted_citations(answer, turn))


def strength_text(answer: Answer) -> tuple[str, str]:
    """Return in words how far an answer can be relied on, and the reason where it is a partial one."""
    if answer.strength is Strength.FIRM:
        return "Firm answer", ""
    if answer.strength is Strength.TENTATIVE:
        return "Partial answer", answer.reason or ""
    return "No answer in this library", ""


def author_text(answer: Answer) -> str:
    """Return who wrote an answer, or where it was taken from."""
    if answer.model == CATALOG:
        return "from the catalog"
    if answer.model != QUOTED:
        return f"written by {answer.model}"
    cells = (cell for row in answer.table.rows for cell in row.cells) if answer.table else ()
    is_quoted = any(citation.passages for citation in answer.citations) or any(cell.passage for cell in cells)
    return "quoted without a language model" if is_quoted else "from the catalog"


@dataclass(frozen=True, slots=True)
class _Part:
    """A heading, a statement, or an entry with the sentences of one paper."""

    html: str
    is_entry: bool = False


def _body(answer: Answer, turn: int, write: Write) -> str:
    """Return the sentences below their headings; entries beyond the first few are folded away with what follows."""
    parts = list(_parts(answer, turn, write))
    entries = [position for position, part in enumerate(parts) if part.is_entry]
    if len(entries) <= _MAX_OPEN_ENTRIES:
        return "".join(part.html for part in parts)
    # A heading is folded away with its first entry.
    first = entries[_MAX_OPEN_ENTRIES - 1] + 1
    summary = f"Show {counted(len(entries) - _MAX_OPEN_ENTRIES, 'more paper')}"
    shown, folded = ("".join(part.html for part in part_list) for part_list in (parts[:first], parts[first:]))
    return f'{shown}<details class="more"><summary>{summary}</summary>{folded}</details>'


def _parts(answer: Answer, turn: int, write: Write) -> Iterator[_Part]:
    sentences = answer.sentences or tuple(_unchecked(answer))
    level = "h4" if answer.headings else "h3"
    for _, run in groupby(range(len(sentences)), lambda position: _entry_key(answer, sentences, position)):
        positions = list(run)
        for heading in (heading for heading in answer.headings if heading.first == positions[0]):
            yield _Part(f'<h3 class="heading">{write(one_line(heading.text))}</h3>')
        group = [sentences[position] for position in positions]
        citation = _only_citation(answer, group[0])
        if citation:
            yield _Part(_entry(group, citation, answer, turn, level, write), is_entry=True)
        else:
            yield _Part(statement_html(group[0], answer, turn, write))


def _entry_key(answer: Answer, sentences: Sequence[Sentence], position: int) -> tuple[int, int]:
    """Return what neighbouring sentences of one entry have in common: a paper and a heading."""
    citation = _only_citation(answer, sentences[position])
    above = max((heading.first for heading in answer.headings if heading.first <= position), default=-1)
    return (citation.number, above) if citation else (-1, -position - 2)


def _only_citation(answer: Answer, sentence: Sentence) -> Citation | None:
    """Return the citation of a quoted sentence; None for a statement, or where it cites none or several papers."""
    is_quoted = answer.model == QUOTED or answer.withdrawn is not None
    if not is_quoted or len(sentence.citations) != 1 or sentence.replaces is not None:
        return None
    if sentence.verdict is not Verdict.SUPPORTED:
        return None
    return next((citation for citation in answer.citations if citation.number == sentence.citations[0]), None)


def _entry(
    sentences: Sequence[Sentence], citation: Citation, answer: Answer, turn: int, level: str, write: Write
) -> str:
    answering = next((sentence for sentence in sentences if not sentence.is_context), sentences[0])
    link = title_link(citation, turn, answering.text, write)
    return (
        f'<section class="entry"><{level} class="source">{link}</{level}>{_attribution(citation.paper, write)}'
        f"{quotation_html(sentences, answer, turn, write)}</section>"
    )


def _attribution(paper: Paper, write: Write) -> str:
    parts = [short_authors(paper.authors), str(paper.year or "")]
    text = ", ".join(one_line(part) for part in parts if part)
    return f'<p class="by">{write(text)}</p>' if text else ""


def _unchecked(answer: Answer) -> Iterator[Sentence]:
    """Yield the sentences of a model that is still writing, laid out as they will be once they are checked."""
    cited = {citation.number for citation in answer.citations}
    return (_unchecked_sentence(text, cited) for text in split_sentences(answer.text))


def _unchecked_sentence(text: str, cited: Collection[int]) -> Sentence:
    numbered = tuple(number for number in numbers(text) if number in cited)
    return Sentence(strip_trailing(text), numbered, Verdict.UNCHECKED, 0.0)


def _card(citation: Citation, turn: int) -> str:
    name = anchor(turn, citation.number)
    return (
        f'<article class="card" id="{name}" tabindex="-1"><h4><span class="number">[{citation.number}]</span> '
        f"{plain_html(display_title(citation.paper))}</h4>{about_html(citation.paper, plain_html)}"
        f"{abstract_html(citation.paper, citation.passages, name, plain_html)}</article>"
    )


def _plain_card(name: str, paper: Paper, passages: Sequence[Passage]) -> str:
    return (
        f'<article class="card" id="{name}" tabindex="-1"><h4>{plain_html(display_title(paper))}</h4>'
        f"{about_html(paper, plain_html)}{abstract_html(paper, passages, name, plain_html)}</article>"
    )


def _nearest(papers: Sequence[Paper], write: Write) -> str:
    if not papers:
        return ""
    items = "".join(f"<li>{write(display_title(paper))}</li>" for paper in papers)
    return f"<p>The nearest papers are:</p><ul>{items}</ul>"

"""Conversations and papers to files: Markdown, HTML, JSON, bibliographies, and questions for measuring.

Questions, answers and the fields of papers are untrusted: all of them are escaped here, in `ui.export.markdown` or in
`ui.page.render`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.schema import Annotation, Answer, Citation, Paper, Passage
from assistant.serialization import Json, annotation_json, answer_json, paper_json, scope_json
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.export.formats import ExportFormat
from ui.export.markdown import answer_markdown, markdown_text
from ui.page import answers, render

if TYPE_CHECKING:
    from assistant.replay import ReplayComparison
    from assistant.storage.conversation_schema import Conversation, StoredTurn

_STYLE = Path(__file__).with_name("transcript.css")


def export_papers(
    papers: Iterable[Paper], export_format: ExportFormat, annotations: Mapping[str, Annotation] = MappingProxyType({})
) -> str:
    """Export papers with what persons have added to them, by id. Raises InputError for a format of conversations."""
    from ui.export import bibliography  # the other commands do not need its libraries

    writers: dict[ExportFormat, Callable[[Iterable[Paper], Mapping[str, Annotation]], str]] = {
        ExportFormat.BIBTEX: bibliography.bibtex,
        ExportFormat.RIS: bibliography.ris,
        ExportFormat.CSL_JSON: bibliography.csl_json,
        ExportFormat.JSONL: _jsonl,
    }
    if export_format not in writers:
        raise InputError("--format", f"{export_format} is for a conversation: name one with --conversation ID")
    return writers[export_format](papers, annotations)


def export_conversation(
    conversation: Conversation,
    turns: Sequence[StoredTurn],
    export_format: ExportFormat,
    annotations: Mapping[str, Annotation] = MappingProxyType({}),
) -> str:
    """Export a conversation; in a format of papers, the papers that it cites, in the order of their first citation.

    `annotations` are those of the cited papers, by the ids that the answers have (see `ui.kept_answers`).
    """
    if export_format in _TRANSCRIPTS:
        return _TRANSCRIPTS[export_format](conversation, turns)
    return export_papers(cited_papers(turns), export_format, annotations)


def cited_papers(turns: Iterable[StoredTurn]) -> list[Paper]:
    """Return the papers that the answers cite, each once, as the last answer shows it."""
    citations = (citation for stored in turns for citation in stored.turn.answer.citations)
    return list({citation.paper.id: citation.paper for citation in citations}.values())


def conversation_json(conversation: Conversation, turns: Sequence[StoredTurn]) -> Json:
    """Return a conversation with its turns as JSON."""
    return summary_json(conversation) | {"turns": list(map(_turn_json, turns))}


def summary_json(conversation: Conversation) -> Json:
    """Return a conversation without its turns as JSON; `turns` is their number."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "changed": conversation.changed,
        "turns": conversation.turns,
    }


def comparison_json(comparison: ReplayComparison) -> Json:
    """Return a replayed question, the changes in its answer, and the new answer as JSON."""
    return {
        "question": comparison.before.question,
        "changed": comparison.changed,
        "gained": list(map(paper_json, comparison.gained)),
        "lost": list(map(paper_json, comparison.lost)),
        "strength": {"before": str(comparison.before.strength), "after": str(comparison.after.strength)},
        "answer": answer_json(comparison.after),
    }


def suite(turns: Iterable[StoredTurn]) -> Iterator[Json]:
    """Yield a line of a question suite (see `eval.suites`) for each turn whose relevant papers are known.

    They are the papers that a good answer cites, or those that the feedback names. Follow-up questions are written in
    their standalone form. The hash of a line's id assigns it to the development or the test half.
    """
    for stored in turns:
        papers = _relevant_papers(stored)
        if papers is not None:
            yield _suite_line(stored, papers)


def markdown(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """Write a transcript in Markdown (CommonMark), with the references of each answer below it."""
    parts = [f"# {markdown_text(to_text(conversation.title))}", _dated(conversation)]
    for stored in turns:
        parts += [f"## {markdown_text(to_text(stored.turn.question))}", *answer_markdown(stored.turn.answer)]
    return "\n\n".join(parts) + "\n"


def html(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """Write a transcript as one self-contained HTML page for light and dark screens; no script runs on it."""
    sections = "".join(_section(number, stored) for number, stored in enumerate(turns, start=1))
    return page_html(to_text(conversation.title), f"<p class=about>{_dated(conversation)}</p>{sections}")


def answer_page(stored: StoredTurn) -> str:
    """Write a page with one answer, its sources and nothing to press, as `html` writes a conversation."""
    answer = stored.turn.answer
    about = f"<p class=about>An answer of {stored.asked_at[:10]} from the abstracts of {_searched(answer)}.</p>"
    return page_html(to_text(stored.turn.question), about + _answer_section(1, answer))


def paper_page(paper: Paper, passages: Sequence[Passage] = ()) -> str:
    """Write a page with the abstract of a paper and what is known about it; the passages are highlighted.

    Passage k has the id `passage`-k, counted from 1.
    """
    address = paper_url(paper)
    link = f'<p><a href="{escape(address)}" rel="noreferrer">{escape(address)}</a></p>' if address else ""
    about = render.about_html(paper, render.plain_html)
    return page_html(
        to_text(display_title(paper)),
        about + render.abstract_html(paper, passages, "passage", render.plain_html) + link,
    )


def page_html(title: str, body: str) -> str:
    """Return a self-contained page for light and dark screens; the title is plain text, the body HTML."""
    escaped = escape(one_line(title))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escaped}</title><style>{_STYLE.read_text(encoding="utf-8")}</style></head>'
        f"<body><main><h1>{escaped}</h1>{body}</main></body></html>\n"
    )


def _searched(answer: Answer) -> str:
    return f"{answer.searched:,} papers" if answer.searched else "this library"


def _json(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    return json.dumps(conversation_json(conversation, turns), ensure_ascii=False, indent=2) + "\n"


def _jsonl(papers: Iterable[Paper], annotations: Mapping[str, Annotation]) -> str:
    """Write a paper a line; one to which a person has added something has that, too."""
    added = {paper_id: annotation_json(annotation) for paper_id, annotation in annotations.items()}
    lines = (paper_json(paper) | added.get(paper.id, {}) for paper in papers)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


_TRANSCRIPTS: dict[ExportFormat, Callable[[Conversation, Sequence[StoredTurn]], str]] = {
    ExportFormat.MARKDOWN: markdown,
    ExportFormat.HTML: html,
    ExportFormat.JSON: _json,
}


def write_file(text: str, file: Path, overwrite: bool = False) -> None:
    """Write a file completely or not at all. Raises InputError where it exists and may not be overwritten."""
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        if file.exists() and not (overwrite and file.is_file()):
            raise InputError(str(file), "exists already; --force overwrites a file")
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(file)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise InputError(str(file), f"cannot be written: {error.strerror}") from error


def _turn_json(stored: StoredTurn) -> Json:
    return {
        "id": stored.id,
        "question": stored.turn.question,
        "scope": scope_json(stored.turn.scope),
        "asked": stored.asked_at,
        "settings": stored.settings,
        "prompt": stored.prompt,
        "feedback": stored.feedback and asdict(stored.feedback),
        "answer": answer_json(stored.turn.answer),
    }


def _dated(conversation: Conversation) -> str:
    return f"Begun on {conversation.created[:10]}, last changed on {conversation.changed[:10]}."


# Suites


def _relevant_papers(stored: StoredTurn) -> list[str] | None:
    """Return the ids of the papers that answer the question; None where the feedback does not say."""
    feedback = stored.feedback
    if feedback is None or (feedback.papers is None and not feedback.good):
        return None
    if feedback.papers is not None:
        return sorted(set(feedback.papers))
    return sorted({citation.paper.id for citation in stored.turn.answer.citations})


def _suite_line(stored: StoredTurn, papers: list[str]) -> Json:
    answer, name, feedback = stored.turn.answer, f"{stored.conversation}-{stored.id}", stored.feedback
    citations = (citation for citation in answer.citations if citation.paper.id in papers)
    quoted = [passage.text for citation in citations for passage in citation.passages]
    return {
        "id": name,
        "question": answer.standalone,
        "papers": papers,
        "evidence": quoted if feedback is None or feedback.good else list(feedback.passages),
        "kind": str(feedback.fault) if feedback and feedback.fault else "confirmed",
        "split": ("dev", "test")[hashlib.sha256(name.encode()).digest()[0] % 2],
    }


# HTML


def _section(number: int, stored: StoredTurn) -> str:
    answer = _answer_section(number, stored.turn.answer)
    return f"<section><h2>{render.plain_html(stored.turn.question)}</h2>{answer}</section>"


def _answer_section(number: int, answer: Answer) -> str:
    """Return an answer with the cards of its papers, and their addresses."""
    cards = answers.sources_html(answer, number)
    sources = f"<h3>Sources</h3>{cards}" if cards else ""
    items = "".join(map(_web_link, answer.citations))
    addresses = f"<ul class=links>{items}</ul>" if items else ""
    return f"{answers.answer_html(answer, number)}{sources}{addresses}"


def _web_link(citation: Citation) -> str:
    address = paper_url(citation.paper)
    if not address:
        return ""
    escaped = escape(address)
    return f'<li>[{citation.number}] <a href="{escaped}" rel="noreferrer noopener">{escaped}</a></li>'

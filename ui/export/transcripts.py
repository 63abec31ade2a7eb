"""Conversations and papers to files: Markdown, HTML, JSON, bibliographies, and questions for measuring.

Questions, answers and what papers say of themselves are data: all of it is escaped here or in `ui.page.render`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.schema import Answer, Citation, Paper, Strength
from assistant.serialization import Json, answer_json, paper_json, scope_json
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.cli.terminal import doubts, notes, searched
from ui.links import paper_url
from ui.page import render

if TYPE_CHECKING:
    from assistant.replay import Comparison
    from assistant.storage.conversation_schema import Conversation, StoredTurn

_STYLE = Path(__file__).with_name("transcript.css")
# What means something to Markdown within a line, and at its beginning; @, :// and www. would become links.
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~&$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(\d*)([-+=.)])")
_MARKERS = re.compile(r"\[(\d+)\]")


class Format(StrEnum):
    """What can be written."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    BIBTEX = "bibtex"
    RIS = "ris"
    CSL_JSON = "csl-json"
    JSONL = "jsonl"


def papers_as(papers: Iterable[Paper], form: Format) -> str:
    """Papers in a format that is for papers. Raises InputError for one that is for conversations."""
    from ui.export import bibliography  # its libraries are of no use to the other verbs

    forms: dict[Format, Callable[[Iterable[Paper]], str]] = {
        Format.BIBTEX: bibliography.bibtex,
        Format.RIS: bibliography.ris,
        Format.CSL_JSON: bibliography.csl_json,
        Format.JSONL: _jsonl,
    }
    if form not in forms:
        raise InputError("--format", f"{form} is for a conversation: name one with --conversation ID")
    return forms[form](papers)


def conversation_as(conversation: Conversation, turns: Sequence[StoredTurn], form: Format) -> str:
    """A conversation; in a format that is for papers, those that it cites, in the order of their first citation."""
    if form in _TRANSCRIPTS:
        return _TRANSCRIPTS[form](conversation, turns)
    return papers_as(cited(turns), form)


def cited(turns: Iterable[StoredTurn]) -> list[Paper]:
    """The papers that the answers cite, each once, as the last answer knew it."""
    return list({each.paper.id: each.paper for stored in turns for each in stored.turn.answer.citations}.values())


def conversation_json(conversation: Conversation, turns: Sequence[StoredTurn]) -> Json:
    """A conversation with its turns."""
    return summary_json(conversation) | {"turns": list(map(_turn_json, turns))}


def summary_json(conversation: Conversation) -> Json:
    """A conversation in a list; `turns` is their number."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created,
        "changed": conversation.changed,
        "turns": conversation.turns,
    }


def comparison_json(compared: Comparison) -> Json:
    """A question, what changed in its answer, and the answer of now."""
    return {
        "question": compared.before.question,
        "changed": compared.changed,
        "gained": list(map(paper_json, compared.gained)),
        "lost": list(map(paper_json, compared.lost)),
        "strength": {"before": str(compared.before.strength), "after": str(compared.after.strength)},
        "answer": answer_json(compared.after),
    }


def suite(judged: Iterable[StoredTurn]) -> Iterator[Json]:
    """The lines of a question suite (see eval.suites): each turn of which it is known what should answer it.

    That is a good answer, which its citations answer, or one of which the person has named the papers. A question
    that leans on its conversation is written as it was understood. Half of them are for testing, by their ids.
    """
    for stored in judged:
        papers = _wanted(stored)
        if papers is not None:
            yield _question(stored, papers)


def markdown(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """A transcript in Markdown (CommonMark), the references of each answer below it."""
    parts = [f"# {_markdown(to_text(conversation.title))}", _dated(conversation)]
    for stored in turns:
        parts += [f"## {_markdown(to_text(stored.turn.question))}", *_answer_markdown(stored.turn.answer)]
    return "\n\n".join(parts) + "\n"


def html(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    """A transcript as one HTML page that needs nothing else, for light and dark screens; no script runs on it."""
    title = escape(one_line(to_text(conversation.title)))
    sections = "".join(_section(number, stored) for number, stored in enumerate(turns, start=1))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{title}</title><style>{_STYLE.read_text(encoding="utf-8")}</style></head>'
        f"<body><main><h1>{title}</h1><p class=about>{_dated(conversation)}</p>{sections}</main></body></html>\n"
    )


def _json(conversation: Conversation, turns: Sequence[StoredTurn]) -> str:
    return json.dumps(conversation_json(conversation, turns), ensure_ascii=False, indent=2) + "\n"


def _jsonl(papers: Iterable[Paper]) -> str:
    return "".join(f"{json.dumps(paper_json(paper), ensure_ascii=False)}\n" for paper in papers)


_TRANSCRIPTS: dict[Format, Callable[[Conversation, Sequence[StoredTurn]], str]] = {
    Format.MARKDOWN: markdown,
    Format.HTML: html,
    Format.JSON: _json,
}


def write(text: str, file: Path, overwrite: bool = False) -> None:
    """Write a file whole or not at all; one that is there stays unless it may be overwritten. Raises InputError."""
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
    given = stored.feedback
    return {
        "id": stored.id,
        "question": stored.turn.question,
        "scope": scope_json(stored.turn.scope),
        "asked": stored.asked_at,
        "settings": stored.settings,
        "prompt": stored.prompt,
        "feedback": given and asdict(given),
        "answer": answer_json(stored.turn.answer),
    }


def _dated(conversation: Conversation) -> str:
    return f"Begun on {conversation.created[:10]}, last changed on {conversation.changed[:10]}."


# Suites


def _wanted(stored: StoredTurn) -> list[str] | None:
    """The ids of the papers that should answer; None where nobody has said."""
    given = stored.feedback
    if given is None or (given.papers is None and not given.good):
        return None
    if given.papers is not None:
        return sorted(set(given.papers))
    return sorted({citation.paper.id for citation in stored.turn.answer.citations})


def _question(stored: StoredTurn, papers: list[str]) -> Json:
    answer, name = stored.turn.answer, f"{stored.conversation}-{stored.id}"
    given = stored.feedback
    cited = [passage.text for each in answer.citations if each.paper.id in papers for passage in each.passages]
    return {
        "id": name,
        "question": answer.standalone,
        "papers": papers,
        "evidence": cited if given is None or given.good else list(given.passages),
        "kind": str(given.fault) if given and given.fault else "confirmed",
        "split": ("dev", "test")[hashlib.sha256(name.encode()).digest()[0] % 2],
    }


# Markdown


def _answer_markdown(answer: Answer) -> Iterator[str]:
    if note := searched(answer.question, answer.standalone, answer.filters, answer.scope):
        yield f"*{_markdown(note)}*"
    if answer.strength is Strength.TENTATIVE and answer.reason:
        yield f"*{_markdown(answer.reason)}*"
    yield from (f"*{_markdown(note)}*" for note in notes(answer))
    yield from _statements(answer)
    if answer.citations:
        yield "### References"
        yield from map(_reference, answer.citations)
    if answer.nearest:
        yield "\n".join(["The nearest papers are:", "", *(f"- {_described(paper)}" for paper in answer.nearest)])


def _statements(answer: Answer) -> Iterator[str]:
    """The answer's text, a paragraph a line, its numbers leading to the papers; then what is doubtful in it."""
    linked = {str(each.number): paper_url(each.paper) for each in answer.citations}
    yield from (_with_links(one_line(line), linked) for line in to_text(answer.text).splitlines() if line.strip())
    yield from (f"> {doubt} “{_markdown(to_text(text))}”" for doubt, text in doubts(answer))


def _with_links(line: str, linked: dict[str, str | None]) -> str:
    text, *rest = _MARKERS.split(line)  # text and number in turn
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return _line(
        _inline(text) + "".join(_marker(number, linked.get(number)) + _inline(after) for number, after in pairs)
    )


def _marker(number: str, address: str | None) -> str:
    return f"[\\[{number}\\]](<{address}>)" if address else f"\\[{number}\\]"


def _reference(citation: Citation) -> str:
    number = f"{citation.number}. "
    quoted = [f"{' ' * len(number)}> {_markdown(to_text(passage.text))}" for passage in citation.passages]
    return "\n\n".join([number + _described(citation.paper), *quoted])


def _described(paper: Paper) -> str:
    """Authors, linked title, venue and year."""
    title, address = _markdown(to_text(display_title(paper))), paper_url(paper)
    linked = f"[{title}](<{address}>)" if address else f"*{title}*"
    parts = [_markdown(", ".join(paper.authors)), linked, _markdown(to_text(paper.venue or "")), str(paper.year or "")]
    return ". ".join(part.removesuffix(".") for part in parts if part)


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _line(_inline(one_line(text)))


def _inline(text: str) -> str:
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", text)


def _line(text: str) -> str:
    """Markdown in one line that begins neither a list nor a heading."""
    return _LINE_START.sub(lambda found: f"{found[1]}\\{found[2]}", text)


# HTML


def _section(number: int, stored: StoredTurn) -> str:
    answer = stored.turn.answer
    sources = f"<h3>Sources</h3>{render.sources_html(answer, number)}" if answer.citations else ""
    links = "".join(_web_link(each) for each in answer.citations)
    listed = f"<ul class=links>{links}</ul>" if links else ""
    return (
        f"<section><h2>{render.plain_html(stored.turn.question)}</h2>"
        f"{render.answer_html(answer, number)}{sources}{listed}</section>"
    )


def _web_link(citation: Citation) -> str:
    address = paper_url(citation.paper)
    if not address:
        return ""
    shown = escape(address)
    return f'<li>[{citation.number}] <a href="{shown}" rel="noreferrer noopener">{shown}</a></li>'

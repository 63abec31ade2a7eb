"""Render a conversation: each question, how it was understood, its answer, how that was made, and its buttons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from assistant.question.filters import format_filters
from assistant.schema import Answer, Filters, Turn
from assistant.storage.conversation_schema import Fault, Feedback, StoredTurn
from assistant.tables.wording import is_read
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from ui.cli.terminal import counted
from ui.page import answers, render

_STAGES = {
    "embed_ms": "reading the question",
    "dense_ms": "search by meaning",
    "lexical_ms": "search by words",
    "rerank_ms": "second look",
    "retrieve_ms": "search in all",
    "first_text_ms": "first words",
    "total_ms": "whole answer",
}
_FILTER_FIELDS = "authors titles venues sources collections tags notes topics phrases without".split()
_NO_FORMS: Mapping[int, str] = {}
_NO_ALTERNATIVES: Mapping[int, Sequence[str]] = {}


def conversation_html(
    stored: Sequence[StoredTurn],
    forms: Mapping[int, str] = _NO_FORMS,
    alternatives: Mapping[int, Sequence[str]] = _NO_ALTERNATIVES,
    menus: Mapping[int, str] = _NO_FORMS,
) -> str:
    """Return the stored turns in their order.

    By the ids of turns, `forms` is HTML that belongs below them, `menus` HTML that belongs among their buttons;
    `alternatives` names what they can be compared with.
    """

    def below(turn: StoredTurn) -> str:
        return _buttons(turn, alternatives.get(turn.id, ()), menus.get(turn.id, "")) + forms.get(turn.id, "")

    return "".join(_turn(number, turn.turn, below(turn), turn.id) for number, turn in enumerate(stored, start=1))


def bare_answer_html(number: int, answer: Answer) -> str:
    """Return an answer with how it was made, without its question and without buttons."""
    return _provenance(answer) + answers.reply_html(answer, number)


def streaming_note(message: str) -> str:
    """Return a line that says what is being waited for, and lets the page offer to stop."""
    return f'<p class="streaming waiting">{render.plain_html(message)}</p>'


def streaming_html(number: int, turn: Turn, stopped: bool = False) -> str:
    """Return a turn that is not stored, because it is still being answered or was stopped."""
    if stopped:
        return _turn(number, turn, '<p class="note">Stopped. This answer is not kept.</p>')
    if not turn.answer.text:
        return waiting_html(number, turn.question, "The abstracts are being read ...")
    return _turn(number, turn, f'<p class="streaming">{render.plain_html(turn.answer.progress)}</p>')


def waiting_html(number: int, question: str, message: str) -> str:
    """Return a question whose answer has not begun."""
    return _section(number, _question(question) + streaming_note(message))


def failed_html(number: int, question: str, message: str) -> str:
    """Return a question that could not be answered."""
    return _section(number, _question(question) + render.error_html(message))


def button(name: str, value: object, text: str, hint: str = "", unseen: str = "", *, disabled: bool = False) -> str:
    """Return a button that the page's script passes on; screen readers read `unseen` after its text."""
    state = " disabled" if disabled else ""
    title = f' title="{line_html(hint)}"' if hint else ""
    more = f'<span class="unseen"> {line_html(unseen)}</span>' if unseen else ""
    return (
        f'<button type="button" class="act" name="{name}" value="{attribute(value)}"{title}{state}>'
        f"{line_html(text)}{more}</button>"
    )


def attribute(value: object) -> str:
    """Escape a value without line breaks: after an empty line, the component would read Markdown."""
    return escape(str(value)).replace("\r", "&#13;").replace("\n", "&#10;")


def line_html(text: str) -> str:
    """Escape text and put it into one line."""
    return escape(one_line(text))


def split_filters(filters: Filters) -> list[tuple[str, Filters]]:
    """Return each filter as it would be typed, with the filters that remain without it."""
    parts = []
    for name in _FILTER_FIELDS:
        values = getattr(filters, name)
        for value in values:
            rest = tuple(item for item in values if item != value)
            parts.append((format_filters(_replaced(Filters(), **{name: (value,)})), _replaced(filters, **{name: rest})))
    if filters.since is not None or filters.until is not None:
        years = Filters(since=filters.since, until=filters.until)
        parts.append((format_filters(years), _replaced(filters, since=None, until=None)))
    return parts


def _replaced(filters: Filters, **values: Any) -> Filters:
    return replace(filters, **values)


def _turn(number: int, turn: Turn, below: str, stored_id: int | None = None) -> str:
    answer = turn.answer
    edit = button("edit", stored_id, "Edit", "Change this question and ask again", f"question {number}")
    inner = (
        _question(turn.question, edit if stored_id is not None else "")
        + _understood(answer, stored_id)
        + _provenance(answer)
        + answers.reply_html(answer, number)
        + ("" if answer.answered else _advice(answer))
    )
    return _section(number, inner + below)


def _section(number: int, inner: str) -> str:
    # Without an empty line: after one, the component would read Markdown.
    return f'<section class="turn" id="turn-{number}" tabindex="-1">{inner}</section>'


def _question(question: str, edit: str = "") -> str:
    return f'<div class="asked"><h2 class="question">{render.typeset_html(question)}</h2>{edit}</div>'


def _understood(answer: Answer, stored_id: int | None) -> str:
    """Return what was searched for as buttons: one to change the words, and one to remove each filter.

    Before the turn is stored they are shown disabled, so that the answer does not move when it is stored.
    """
    disabled = stored_id is None
    parts = enumerate(split_filters(answer.filters))
    chips = "".join(_filter_chip(f"{stored_id}:{index}", typed, disabled) for index, (typed, _) in parts)
    if answer.standalone == " ".join(answer.question.split()) and not chips:
        return ""
    query = to_text(answer.standalone) or "anything"
    words = button("restate", stored_id, query, "Change what is searched for", disabled=disabled)
    return f'<p class="understood">Searched for {words}{chips}</p>'


def _filter_chip(value: str, typed: str, disabled: bool) -> str:
    drop = button("drop", value, "×", "Ask again without this filter", f"remove {typed}", disabled=disabled)
    return f'<span class="chip">{render.plain_html(typed)}{drop}</span>'


def _provenance(answer: Answer) -> str:
    """Return how far to rely on the answer and who wrote it; opened, its confidence and the time of each stage."""
    if not answer.model:
        return ""
    stages = "".join(
        f"<li>{name}: {_seconds(answer.timings[stage])}</li>"
        for stage, name in _STAGES.items()
        if stage in answer.timings
    )
    strength, reason = answers.strength_text(answer)
    about = f": {render.plain_html(reason)}" if reason else ""
    about += "".join(f" · {render.plain_html(fact)}" for fact in _facts(answer))
    return (
        f'<details class="made"><summary><span class="strength">{strength}</span>{about}</summary>'
        f"<p>Confidence that the library answers this: {answer.confidence:.0%}. "
        f"The time that each stage took:</p><ul>{stages}</ul></details>"
    )


def _facts(answer: Answer) -> Iterator[str]:
    if answer.answered:
        yield answers.author_text(answer)
    if answer.citations:
        yield f"{counted(len(answer.citations), 'paper')} cited"
    if answer.searched:
        yield f"{answer.searched:,} searched"
    if "total_ms" in answer.timings:
        yield _seconds(answer.timings["total_ms"])


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s"


def _advice(answer: Answer) -> str:
    """Return what to try where there is no answer."""
    if not answer.reason:
        return ""
    tips = ["Ask about one thing at a time, in words that an abstract would use."]
    tips += ["Remove a filter with its × above."] if answer.filters else []
    tips += ["Look at all papers again: below, release what is pinned or excluded."] if answer.scope else []
    tips += ["Add papers about it in the Library tab."]
    return f'<div class="advice"><p>What to try:</p><ul>{"".join(f"<li>{tip}</li>" for tip in tips)}</ul></div>'


def _buttons(stored: StoredTurn, alternatives: Sequence[str], menu: str) -> str:
    buttons = [
        button("copy", stored.id, "Copy", "Copy the answer with its references"),
        button("retry", stored.id, "Ask again", "Ask this question again and remove what is below it"),
        _compare_menu(stored.id, alternatives),
        _link_button(stored),
        menu,
        _table_button(stored.turn.answer),
        *_judgement_buttons(stored.id, stored.feedback),
    ]
    return f'<div class="actions">{"".join(buttons)}</div>'


def _table_button(answer: Answer) -> str:
    """Return a button that opens the table of an answer in the tab that saves and corrects it; empty without one."""
    table = answer.table
    if table is None or not is_read(table):
        return ""
    value = json.dumps({"columns": table.columns, "ids": [row.paper.id for row in table.rows]})
    return button("tabulate", value, "Open in the Table tab", "Save the table as CSV, LaTeX ..., or correct its cells")


def _compare_menu(turn_id: int, alternatives: Sequence[str]) -> str:
    """Return a menu of what the answer can be compared with; empty where there is nothing."""
    if not alternatives:
        return ""
    items = "".join(button("compare", f"{turn_id}:{name}", one_line(name)) for name in alternatives)
    return f'<details class="menu"><summary>Compare with ...</summary><span class="items">{items}</span></details>'


def _link_button(stored: StoredTurn) -> str:
    """Return a button that makes a link to the answer, or a menu to copy and remove the link it has."""
    if stored.link is None:
        return button("link", stored.id, "Link", "Make a read-only link to this answer and copy it")
    copy = button("link", stored.id, "Copy the link")
    remove = button("unlink", stored.id, "Remove the link", "The link then leads nowhere")
    return f'<details class="menu"><summary>Link ✓</summary><span class="items">{copy}{remove}</span></details>'


def _judgement_buttons(turn_id: int, judgement: Feedback | None) -> Iterator[str]:
    """Yield the buttons that judge an answer; the chosen one is ticked, and pressing it again withdraws it."""
    good = bool(judgement and judgement.good)
    yield button("judge", f"{turn_id}:{'none' if good else 'good'}", "Helpful ✓" if good else "Helpful")
    faults = "".join(_fault_button(turn_id, fault, bool(judgement and judgement.fault is fault)) for fault in Fault)
    wrong = f"Not helpful: {judgement.fault} ✓" if judgement and judgement.fault else "Not helpful"
    yield f'<details class="menu"><summary>{wrong}</summary><span class="items">{faults}</span></details>'


def _fault_button(turn_id: int, fault: Fault, chosen: bool) -> str:
    text = f"{str(fault).capitalize()}{' ✓' if chosen else ''}"
    return button("judge", f"{turn_id}:{'none' if chosen else fault}", text)

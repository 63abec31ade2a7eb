"""A conversation to HTML: each question, how it was understood, the answer, how it was made, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from assistant.question.filters import format_filters
from assistant.schema import Answer, Filters, Turn
from assistant.storage.conversation_schema import Fault, Feedback, StoredTurn
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from ui.cli.terminal import counted
from ui.page import render

_STAGES = {
    "embed_ms": "reading the question",
    "dense_ms": "search by meaning",
    "lexical_ms": "search by words",
    "rerank_ms": "second look",
    "retrieve_ms": "search in all",
    "first_text_ms": "first words",
    "total_ms": "whole answer",
}


def conversation_html(stored: Sequence[StoredTurn], below: Callable[[StoredTurn], str] = lambda _: "") -> str:
    """The turns that are kept, in their order, each with what stands `below` it."""
    return "".join(
        _turn(number, each.turn, _actions(each) + below(each), each.id) for number, each in enumerate(stored, start=1)
    )


def growing_html(number: int, turn: Turn, stopped: bool = False) -> str:
    """A turn that is not kept: it is still being answered, or was stopped."""
    if stopped:
        return _turn(number, turn, '<p class="note">Stopped. This answer is not kept.</p>')
    if not turn.answer.text:
        return waiting_html(number, turn.question, "The abstracts are being read ...")
    return _turn(number, turn, '<p class="streaming"></p>')


def waiting_html(number: int, question: str, message: str) -> str:
    """A question whose answer has not begun."""
    waiting = f'<p class="streaming waiting">{render.plain_html(message)}</p>'
    return _section(number, _question(question) + waiting)


def failed_html(number: int, question: str, message: str) -> str:
    """A question that could not be answered."""
    return _section(number, _question(question) + render.error_html(message))


def button(name: str, value: object, text: str, hint: str = "", unseen: str = "", *, is_off: bool = False) -> str:
    """A button that the page's script hands on; `unseen` is read out behind its text, to tell it from its likes."""
    off = " disabled" if is_off else ""
    title = f' title="{line(hint)}"' if hint else ""
    more = f'<span class="unseen"> {line(unseen)}</span>' if unseen else ""
    return (
        f'<button type="button" class="act" name="{name}" value="{attribute(value)}"{title}{off}>'
        f"{line(text)}{more}</button>"
    )


def attribute(value: object) -> str:
    """A value as it is, escaped, without a line's end: behind an empty line the component would read Markdown."""
    return escape(str(value)).replace("\r", "&#13;").replace("\n", "&#10;")


def line(text: str) -> str:
    """Text that stands in one line, escaped."""
    return escape(one_line(text))


def parts(filters: Filters) -> list[tuple[str, Filters]]:
    """Each filter as it would be typed, with the filters that are left without it."""
    fields = ("authors", "titles", "venues", "sources", "phrases", "without")
    found = []
    for name in fields:
        values = getattr(filters, name)
        for value in values:
            left = tuple(each for each in values if each != value)
            found.append((format_filters(_changed(Filters(), **{name: (value,)})), _changed(filters, **{name: left})))
    if filters.since is not None or filters.until is not None:
        years = Filters(since=filters.since, until=filters.until)
        found.append((format_filters(years), _changed(filters, since=None, until=None)))
    return found


def _changed(filters: Filters, **values: Any) -> Filters:
    return replace(filters, **values)


def _turn(number: int, turn: Turn, below: str, stored_id: int | None = None) -> str:
    answer = turn.answer
    edit = button("edit", stored_id, "Edit", "Change this question and ask again", f"question {number}")
    inner = (
        _question(turn.question, edit if stored_id is not None else "")
        + _understood(answer, stored_id)
        + _made(answer)
        + render.reply_html(answer, number)
        + ("" if answer.answered else _advice(answer))
    )
    return _section(number, inner + below)


def _section(number: int, inner: str) -> str:
    # No empty line may stand in it: behind one, the component would read Markdown.
    return f'<section class="turn" id="turn-{number}" tabindex="-1">{inner}</section>'


def _question(question: str, edit: str = "") -> str:
    return f'<div class="asked"><h2 class="question">{render.typeset_html(question)}</h2>{edit}</div>'


def _understood(answer: Answer, stored_id: int | None) -> str:
    """What was searched for as buttons: one to change the words, one to take each filter away.

    They are there before the turn is kept, and do nothing yet, so that the answer does not move when it is.
    """
    off = stored_id is None
    said = " ".join(answer.question.split())
    chips = "".join(_chip(f"{stored_id}:{place}", each, off) for place, (each, _) in enumerate(parts(answer.filters)))
    if answer.standalone == said and not chips:
        return ""
    searched = to_text(answer.standalone) or "anything"
    words = button("restate", stored_id, searched, "Change what is searched for", is_off=off)
    return f'<p class="understood">Searched for {words}{chips}</p>'


def _chip(place: str, typed: str, off: bool) -> str:
    """One of the filters."""
    end = button("drop", place, "×", "Ask again without this filter", f"remove {typed}", is_off=off)
    return f'<span class="chip">{render.plain_html(typed)}{end}</span>'


def _made(answer: Answer) -> str:
    """How the answer was made: who wrote it, how sure it is, how long each stage took."""
    if not answer.model:
        return ""
    who = "Quoted without a language model" if answer.model == "extractive" else f"Written by {answer.model}"
    said = [who if answer.answered else "No answer"]
    said += [f"{counted(len(answer.citations), 'paper')} cited"] if answer.citations else []
    said += [f"{answer.searched:,} searched"] if answer.searched else []
    said += [f"confidence {answer.confidence:.0%}"]
    said += [_seconds(answer.timings["total_ms"])] if "total_ms" in answer.timings else []
    stages = "".join(
        f"<li>{name}: {_seconds(answer.timings[stage])}</li>"
        for stage, name in _STAGES.items()
        if stage in answer.timings
    )
    return (
        f'<details class="made"><summary>{render.plain_html(", ".join(said))}</summary>'
        f"<p>The time that each stage took:</p><ul>{stages}</ul></details>"
    )


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s"


def _advice(answer: Answer) -> str:
    """What to try where there is no answer."""
    if not answer.reason:
        return ""
    tips = ["Ask of one thing at a time, in words that an abstract would use."]
    tips += ["Take a filter away with its × above."] if answer.filters else []
    tips += ["Look at all papers again: below, take away what is pinned or excluded."] if answer.scope else []
    tips += ["Add papers on it in the Library tab."]
    return f'<div class="advice"><p>What to try:</p><ul>{"".join(f"<li>{tip}</li>" for tip in tips)}</ul></div>'


def _actions(stored: StoredTurn) -> str:
    buttons = [
        button("copy", stored.id, "Copy", "Copy the answer with its references"),
        button("retry", stored.id, "Ask again", "Ask this question again; what stands below it goes"),
        *_judgements(stored.id, stored.feedback),
    ]
    return f'<div class="actions">{"".join(buttons)}</div>'


def _judgements(turn_id: int, given: Feedback | None) -> Iterator[str]:
    """The thumbs; one that was given is said, and pressing it again takes it back."""
    good = bool(given and given.good)
    yield button("judge", f"{turn_id}:{'none' if good else 'good'}", "Helpful ✓" if good else "Helpful")
    faults = "".join(_fault(turn_id, fault, bool(given and given.fault is fault)) for fault in Fault)
    wrong = f"Not helpful: {given.fault} ✓" if given and given.fault else "Not helpful"
    yield f'<details class="menu"><summary>{wrong}</summary><span class="items">{faults}</span></details>'


def _fault(turn_id: int, fault: Fault, given: bool) -> str:
    text = f"{str(fault).capitalize()}{' ✓' if given else ''}"
    return button("judge", f"{turn_id}:{'none' if given else fault}", text)

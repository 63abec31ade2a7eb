"""Answer a stored question once more, by another model or strategy, and show both answers side by side.

The second answer is not stored: it is there until the next question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assistant.errors import InputError, PaperchatError
from assistant.schema import Answer, Turn
from assistant.storage.conversation_schema import StoredTurn
from ui.page import render, turns
from ui.page.alternatives import alternatives, apply_alternative
from ui.page.page_context import PageContext
from ui.page.session import PageUpdate

# The page's script scrolls to the end of the conversation.
_TO_END = {"kind": "sent"}


def compare(context: PageContext, stored: StoredTurn, name: str) -> Iterator[PageUpdate]:
    """Yield the page with the stored answer beside a growing second one. Raises InputError for an unknown name."""
    changes = alternatives(context.backend.settings, context.settings).get(name)
    if changes is None:
        raise InputError("page", f"{name!r} is nothing to compare with")
    shown = context.stored_turns()
    first, number = [item.id for item in shown].index(stored.id) + 1, len(shown) + 1
    waiting = turns.streaming_note("Searching ...")
    yield PageUpdate(pending=_comparison_html(stored, first, name, waiting), message=_TO_END)
    try:
        for answer in _answers(replace(context, settings=apply_alternative(context.settings, changes)), stored):
            note = "" if answer.done else turns.streaming_note("")
            second = turns.bare_answer_html(number, answer) + note
            yield PageUpdate(
                pending=_comparison_html(stored, first, name, second),
                evidence=context.evidence_html([*(item.turn for item in shown), Turn(stored.turn.question, answer)]),
            )
    except PaperchatError as error:
        yield PageUpdate(pending=_comparison_html(stored, first, name, render.error_html(str(error))))


def _answers(context: PageContext, stored: StoredTurn) -> Iterator[Answer]:
    """Yield the snapshots of the second answer, which sees the same turns before it as the first one did."""
    history = [item.turn for item in context.stored_turns() if item.id < stored.id]
    turn = stored.turn
    yield from context.backend.assistant(context.settings).stream(
        turn.answer.question or turn.question, history, turn.scope
    )


def _comparison_html(stored: StoredTurn, number: int, name: str, second: str) -> str:
    """Return the stored answer of the turn of this number beside the HTML of the second one."""
    first = turns.bare_answer_html(number, stored.turn.answer)
    return (
        f'<section class="comparison" tabindex="-1"><h2>Two answers to “{render.typeset_html(stored.turn.question)}”'
        f'</h2><div class="sides"><div class="side"><h3>As stored</h3>{first}</div>'
        f'<div class="side"><h3>{render.plain_html(name)}</h3>{second}</div></div>'
        f"{turns.button('uncompare', '', 'Close')}</section>"
    )

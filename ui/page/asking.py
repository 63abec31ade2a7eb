"""A question asked on the page: what the screen shows from the moment it is sent until its answer is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.errors import PaperchatError
from assistant.schema import Scope, Turn
from assistant.storage.conversation_schema import StoredTurn
from ui.logs import QuestionLog
from ui.page import turns
from ui.page.page_context import Desk
from ui.page.session import Open, View


def ask(desk: Desk, question: str, scope: Scope | None = None, alone: bool = False) -> Iterator[View]:
    """The page after each piece of the answer; the last is kept in the conversation, or begins one.

    The question takes the place of the turn that is being replaced, if there is one. `scope` is another one than the
    page's; a question `alone` is taken as it is, whatever was said before.
    """
    stored = _before(desk.stored(), desk.open.replacing)
    number, earlier = len(stored) + 1, [each.turn for each in stored]
    waiting = "Searching ..." if desk.backend.is_ready else "Loading the model ..."
    yield View(
        open=replace(desk.open, asking=None),
        box="",
        talk=desk.talk(stored),
        now=turns.waiting_html(number, question, waiting),
        message={"kind": "asked"},
    )
    try:
        yield from _answered(desk, question, [] if alone else earlier, earlier, scope or desk.scope)
    except PaperchatError as error:
        failed = turns.failed_html(number, question, str(error))
        yield View(open=replace(desk.open, asking=None), box=question, now=failed)


def stopped(desk: Desk) -> View:
    """The page after its person has stopped an answer: what there is of it stays to be read, and is not kept."""
    asking, number = desk.open.asking, len(_before(desk.stored(), desk.open.replacing)) + 1
    rest = Open(desk.open.id, desk.open.replacing)
    if asking is None:
        return replace(desk.whole(), open=rest)
    return View(open=rest, box=asking.question, now=turns.growing_html(number, asking, stopped=True))


def _answered(
    desk: Desk, question: str, history: Sequence[Turn], earlier: Sequence[Turn], scope: Scope
) -> Iterator[View]:
    asked = f"{question} {desk.choices.filters}".strip()
    with QuestionLog(asked, desk.backend.settings) as log:
        assistant = desk.backend.assistant(desk.choices)
        turn = None
        for log.answer in assistant.stream(asked, history, scope):
            turn = Turn(question, log.answer, scope)
            yield View(
                open=replace(desk.open, asking=turn),
                now=turns.growing_html(len(earlier) + 1, turn),
                evidence=desk.evidence([*earlier, turn]),
            )
        if turn:
            talks = desk.conversations
            kept_in = desk.open.id or talks.begin().id
            (turn_id,) = talks.append(kept_in, [turn], assistant.settings, replacing=desk.open.replacing)
            log.id = f"{kept_in}-{turn_id}"
            yield replace(desk, open=Open(kept_in)).whole()


def _before(stored: list[StoredTurn], replacing: int | None) -> list[StoredTurn]:
    return [each for each in stored if replacing is None or each.id < replacing]

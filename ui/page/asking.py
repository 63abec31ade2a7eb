"""Answer a question on the page: what the screen shows from the moment it is sent until its answer is stored."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from assistant.errors import PaperchatError
from assistant.schema import Scope, Turn
from assistant.storage.conversation_schema import StoredTurn
from ui.logs import QuestionLog
from ui.page import turns
from ui.page.page_context import PageContext
from ui.page.session import OpenConversation, PageUpdate

Updates = Generator[PageUpdate, None, None]


def ask(context: PageContext, question: str, scope: Scope | None = None, standalone: bool = False) -> Updates:
    """Yield the page after each piece of the answer, and store the answer when it is complete.

    The question replaces the turn that the context names, if any. `scope` is used instead of the page's; a
    `standalone` question is not rewritten by what was said before.
    """
    stored = _turns_before(context.stored_turns(), context.conversation.replacing)
    number, earlier = len(stored) + 1, [stored_turn.turn for stored_turn in stored]
    yield _waiting(context, question, stored)
    try:
        history = [] if standalone else earlier
        yield from _answer(context, question, history, earlier, scope or context.scope)
    except PaperchatError as error:
        context.backend.operations.metrics.error(type(error).__name__)
        conversation = replace(context.conversation, pending=None)
        failed = turns.failed_html(number, question, str(error))
        yield PageUpdate(conversation=conversation, question=question, pending=failed)


def stop(context: PageContext) -> PageUpdate:
    """Return the page after an answer was stopped: its text so far stays readable and is not stored."""
    conversation = context.conversation
    number = len(_turns_before(context.stored_turns(), conversation.replacing)) + 1
    idle = OpenConversation(conversation.id, conversation.replacing)
    if conversation.pending is None:
        return replace(context.show_all(), conversation=idle)
    stopped = turns.streaming_html(number, conversation.pending, stopped=True)
    return PageUpdate(conversation=idle, question=conversation.pending.question, pending=stopped)


def _waiting(context: PageContext, question: str, stored: Sequence[StoredTurn]) -> PageUpdate:
    message = "Searching ..." if context.backend.is_ready else "Loading the model ..."
    return PageUpdate(
        conversation=replace(context.conversation, pending=None),
        question="",
        turns=context.turns_html(stored),
        pending=turns.waiting_html(len(stored) + 1, question, message),
        message={"kind": "sent"},
    )


def _answer(
    context: PageContext, question: str, history: Sequence[Turn], earlier: Sequence[Turn], scope: Scope
) -> Updates:
    filtered = f"{question} {context.settings.filters}".strip()
    lifecycle, metrics = context.backend.operations.lifecycle, context.backend.operations.metrics
    with lifecycle.working(), QuestionLog(filtered, context.backend.settings, metrics.question) as log:
        assistant = context.backend.assistant(context.settings)
        turn = None
        for log.answer in assistant.stream(filtered, history, scope):
            lifecycle.check()
            turn = Turn(question, log.answer, scope)
            yield _streaming(context, turn, earlier)
        if turn:
            conversations, conversation = context.conversations, context.conversation
            stored_in = conversation.id or conversations.begin().id
            [turn_id] = conversations.append(stored_in, [turn], assistant.settings, replacing=conversation.replacing)
            log.id = f"{stored_in}-{turn_id}"
            yield context.show_conversation(stored_in)


def _streaming(context: PageContext, turn: Turn, earlier: Sequence[Turn]) -> PageUpdate:
    return PageUpdate(
        conversation=replace(context.conversation, pending=turn),
        pending=turns.streaming_html(len(earlier) + 1, turn),
        evidence=context.evidence_html([*earlier, turn]),
    )


def _turns_before(stored: Sequence[StoredTurn], replacing: int | None) -> list[StoredTurn]:
    return [stored_turn for stored_turn in stored if replacing is None or stored_turn.id < replacing]

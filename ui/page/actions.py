"""The actions of the buttons within the page's HTML. A browser sends a button's name, its value and perhaps a text.

All three are untrusted: unknown names are refused, and ids are looked up among the owner's own conversations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant.errors import InputError, PaperchatError
from assistant.question.filters import format_filters
from assistant.schema import Answer, Filters
from assistant.storage.conversation_schema import Fault, Feedback, StoredTurn
from assistant.text.printable import one_line
from ui.cli.terminal import answer_text
from ui.export import transcripts
from ui.export.formats import ExportFormat
from ui.kept_answers import cited_annotations, with_notices
from ui.page import collection_actions, feedback, first_papers, history, paper_actions, turns
from ui.page.asking import ask
from ui.page.comparison import compare
from ui.page.page_context import PageContext
from ui.page.paper_actions import copy_text
from ui.page.session import OpenConversation, PageUpdate

_MAX_TITLE_LENGTH = 200
Updates = Iterator[PageUpdate]


def handle_action(context: PageContext, name: str, value: str, text: str = "") -> Updates:
    """Yield the page after a button was pressed; an error is shown as a notice."""
    try:
        if name not in _ACTIONS:
            raise InputError("page", f"there is no button {name!r}")
        if name in _LIBRARY_ACTIONS:
            context.permissions.require_write()
        yield from _ACTIONS[name](context, value, text)
    except PaperchatError as error:
        yield PageUpdate(message={"kind": "notice", "text": str(error), "is_error": True})


# Conversations


def _open(context: PageContext, value: str, text: str) -> Updates:
    yield context.reopen(context.conversations.find(value).id, question="")


def _new(context: PageContext, value: str, text: str) -> Updates:
    yield context.show_conversation(None, question="")


def _rename(context: PageContext, value: str, text: str) -> Updates:
    context.conversations.rename(context.conversations.find(value).id, text[:_MAX_TITLE_LENGTH])
    yield PageUpdate(history=context.history_html())


def _delete(context: PageContext, value: str, text: str) -> Updates:
    context.conversations.delete([context.conversations.find(value).id])
    if context.conversation.id == value:
        yield context.show_conversation(None, question="")
    else:
        yield PageUpdate(history=context.history_html())


def _export(context: PageContext, value: str, text: str) -> Updates:
    conversation_id, _, name = value.partition(":")
    if name not in history.EXPORTS:
        raise InputError("page", f"{name!r} is not an export format")
    conversation, export_format = context.conversations.find(conversation_id), ExportFormat(name)
    catalog = context.backend.catalog
    stored = with_notices(context.conversations.turns(conversation.id), catalog)
    annotations = cited_annotations(stored, catalog)
    exported = transcripts.export_conversation(conversation, stored, export_format, annotations)
    yield _save_file(f"conversation-{conversation.id}.{history.EXPORTS[export_format][1]}", exported)


def _export_judgements(context: PageContext, value: str, text: str) -> Updates:
    """Export the answers with feedback as a suite of questions for `python -m eval`."""
    suite = transcripts.suite(context.conversations.turns_with_feedback())
    lines = "".join(f"{json.dumps(question, ensure_ascii=False)}\n" for question in suite)
    if not lines:
        raise InputError(
            "page", "no answer has been judged yet: press Helpful below one, or name the papers that answer a question"
        )
    yield _save_file("questions.jsonl", lines)


# Turns


def _ask(context: PageContext, value: str, text: str) -> Updates:
    yield from ask(context, value)


def _show_examples(context: PageContext, value: str, text: str) -> Updates:
    """Show the example questions once they are found, unless a question has been asked meanwhile."""
    is_empty = context.conversation.id is None and context.conversation.pending is None
    yield PageUpdate(turns=context.backend.welcome_html() if is_empty else None)


def _copy(context: PageContext, value: str, text: str) -> Updates:
    yield copy_text(answer_text(context.find_turn(value).turn.answer), "The answer and its references are copied.")


def _compare(context: PageContext, value: str, text: str) -> Updates:
    """Answer the question of a turn once more, by another model or strategy, beside the stored answer."""
    turn_id, _, name = value.partition(":")
    yield from compare(context, context.find_turn(turn_id), name)


def _end_comparison(context: PageContext, value: str, text: str) -> Updates:
    yield PageUpdate(pending="", evidence=context.evidence_html([stored.turn for stored in context.stored_turns()]))


def _link(context: PageContext, value: str, text: str) -> Updates:
    token = context.conversations.link(context.find_turn(value).id)
    notice = "The link is copied. It shows this answer alone, to anybody who may open this page."
    message = {"kind": "link", "path": f"answer/{token}", "text": notice}
    yield PageUpdate(turns=context.turns_html(context.stored_turns()), message=message)


def _unlink(context: PageContext, value: str, text: str) -> Updates:
    context.conversations.unlink(context.find_turn(value).id)
    message = {"kind": "notice", "text": "The link is removed and leads nowhere now."}
    yield PageUpdate(turns=context.turns_html(context.stored_turns()), message=message)


def _edit(context: PageContext, value: str, text: str) -> Updates:
    stored = context.find_turn(value)
    yield _rewrite(context, stored.id, stored.turn.question)


def _restate(context: PageContext, value: str, text: str) -> Updates:
    stored = context.find_turn(value)
    yield _rewrite(context, stored.id, _restated(stored.turn.answer, stored.turn.answer.filters))


def _retry(context: PageContext, value: str, text: str) -> Updates:
    stored = context.find_turn(value)
    yield from ask(context.replacing(stored.id), stored.turn.question, stored.turn.scope)


def _drop_filter(context: PageContext, value: str, text: str) -> Updates:
    """Ask again without one of the filters."""
    turn_id, _, index = value.partition(":")
    stored = context.find_turn(turn_id)
    parts = turns.split_filters(stored.turn.answer.filters)
    if not index.isdecimal() or int(index) >= len(parts):
        raise InputError("page", "this filter is no longer there; reload the page")
    question = _restated(stored.turn.answer, parts[int(index)][1])
    yield from ask(context.replacing(stored.id), question, stored.turn.scope, standalone=True)


def _judge(context: PageContext, value: str, text: str) -> Updates:
    turn_id, _, choice = value.partition(":")
    stored = context.find_turn(turn_id)
    before = stored.feedback if stored.feedback and not stored.feedback.good else Feedback(False)
    judgements = {"good": Feedback(True), "none": None} | {str(fault): replace(before, fault=fault) for fault in Fault}
    if choice not in judgements:
        raise InputError("page", f"{choice!r} is not a judgement of an answer")
    yield _store_feedback(context, stored, judgements[choice])


def _add_expected_paper(context: PageContext, value: str, text: str) -> Updates:
    stored, judgement = _wrong_answer(context, value)
    paper, sentences = feedback.resolve_paper(context.backend.catalog, text)
    yield _store_feedback(context, stored, feedback.add_paper(judgement, paper, sentences))


def _expect_no_paper(context: PageContext, value: str, text: str) -> Updates:
    """Record that no paper of the library answers the question."""
    stored, judgement = _wrong_answer(context, value)
    yield _store_feedback(context, stored, replace(judgement, papers=(), passages=()))


def _remove_expected_paper(context: PageContext, value: str, text: str) -> Updates:
    turn_id, _, paper_id = value.partition(":")
    stored, judgement = _wrong_answer(context, turn_id)
    paper = next(iter(context.backend.catalog.papers.get([paper_id])), None)
    yield _store_feedback(context, stored, feedback.remove_paper(judgement, paper, paper_id))


def _stop_editing(context: PageContext, value: str, text: str) -> Updates:
    yield PageUpdate(conversation=OpenConversation(context.conversation.id), question="")


def _restated(answer: Answer, filters: Filters) -> str:
    return f"{answer.standalone} {format_filters(filters)}".strip()


def _wrong_answer(context: PageContext, turn_id: str) -> tuple[StoredTurn, Feedback]:
    """Return a turn whose answer was judged wrong. Raises InputError for any other."""
    stored = context.find_turn(turn_id)
    if stored.feedback is None or stored.feedback.good:
        raise InputError("page", "first choose what is wrong with this answer")
    return stored, stored.feedback


def _store_feedback(context: PageContext, stored: StoredTurn, judgement: Feedback | None) -> PageUpdate:
    context.conversations.set_feedback(stored.id, judgement)
    shown = context.turns_html(context.stored_turns())
    return PageUpdate(turns=shown, message={"kind": "notice", "text": ""})


# Messages


def _rewrite(context: PageContext, turn_id: int, question: str) -> PageUpdate:
    """Put the question into the input box, so that it can be changed and asked again in place of its turn."""
    notice = "Change the question and press Enter: its answer and all below it will be replaced. Esc cancels."
    message = {"kind": "edit", "text": notice, "id": turn_id}
    conversation = context.replacing(turn_id).conversation
    return PageUpdate(conversation=conversation, question=one_line(question), message=message)


def _save_file(name: str, text: str) -> PageUpdate:
    return PageUpdate(message={"kind": "file", "name": name, "text": text})


Action = Callable[[PageContext, str, str], Updates]
# What changes the library, which everybody sees; the others are about the visitor's own conversations and screen.
_LIBRARY_ACTIONS: dict[str, Action] = {**collection_actions.LIBRARY_ACTIONS, **first_papers.ACTIONS}
_ACTIONS: dict[str, Action] = {
    **_LIBRARY_ACTIONS,
    "open": _open,
    "new": _new,
    "rename": _rename,
    "delete": _delete,
    "export": _export,
    "judgements": _export_judgements,
    "ask": _ask,
    "examples": _show_examples,
    "copy": _copy,
    "compare": _compare,
    "uncompare": _end_comparison,
    "link": _link,
    "unlink": _unlink,
    "edit": _edit,
    "restate": _restate,
    "retry": _retry,
    "drop": _drop_filter,
    "judge": _judge,
    "name": _add_expected_paper,
    "nothing": _expect_no_paper,
    "unname": _remove_expected_paper,
    "leave": _stop_editing,
    **collection_actions.SCOPE_ACTIONS,
    **paper_actions.ACTIONS,
}

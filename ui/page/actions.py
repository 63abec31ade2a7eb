"""What the buttons within the page's HTML do. A browser sends the name of a button, its value and perhaps a text.

All three come from outside: names that are not here are refused, ids are looked for among the owner's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant.errors import InputError, PaperchatError
from assistant.question.filters import format_filters
from assistant.schema import EVERYTHING, Scope
from assistant.storage.conversation_schema import Fault, Feedback, StoredTurn
from assistant.text.printable import one_line
from ui.cli.terminal import answer_text
from ui.export import bibliography, transcripts
from ui.page import evidence, feedback, history, ingest_view, turns
from ui.page.asking import ask
from ui.page.page_context import Desk
from ui.page.session import Open, View

_LIKE_CHARACTERS = 1500
_LONGEST_TITLE = 200


def act(desk: Desk, name: str, value: str, text: str = "") -> Iterator[View]:
    """The page after a button was pressed; what goes wrong is said to the person."""
    try:
        if name not in _ACTS:
            raise InputError("page", f"there is no button {name!r}")
        yield from _ACTS[name](desk, value, text)
    except PaperchatError as error:
        yield View(message={"kind": "said", "text": str(error), "is_error": True})


# Conversations


def _open(desk: Desk, value: str, text: str) -> Iterator[View]:
    found = desk.conversations.find(value)
    yield replace(desk, open=Open(found.id)).whole(box="")


def _new(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield replace(desk, open=Open()).whole(box="")


def _rename(desk: Desk, value: str, text: str) -> Iterator[View]:
    desk.conversations.rename(desk.conversations.find(value).id, text[:_LONGEST_TITLE])
    yield View(history=desk.history())


def _delete(desk: Desk, value: str, text: str) -> Iterator[View]:
    desk.conversations.delete([desk.conversations.find(value).id])
    if desk.open.id == value:
        yield replace(desk, open=Open()).whole(box="")
    else:
        yield View(history=desk.history())


def _export(desk: Desk, value: str, text: str) -> Iterator[View]:
    conversation_id, _, form = value.partition(":")
    if form not in history.EXPORTS:
        raise InputError("page", f"nothing can be written as {form!r}")
    found, chosen = desk.conversations.find(conversation_id), transcripts.ExportFormat(form)
    written_as = transcripts.export_conversation(found, desk.conversations.turns(found.id), chosen)
    yield _file(f"conversation-{found.id}.{history.EXPORTS[chosen][1]}", written_as)


def _judgements(desk: Desk, value: str, text: str) -> Iterator[View]:
    """Every judged answer as a suite of questions to measure with."""
    lines = "".join(
        f"{json.dumps(each, ensure_ascii=False)}\n"
        for each in transcripts.suite(desk.conversations.turns_with_feedback())
    )
    if not lines:
        raise InputError(
            "page", "of no answer is it known yet what answers it: judge one helpful, or name what should have answered"
        )
    yield _file("questions.jsonl", lines)


# Turns


def _ask(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield from ask(desk, value)


def _copy(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield _clipboard(answer_text(desk.turn(value).turn.answer), "The answer and its references are copied.")


def _edit(desk: Desk, value: str, text: str) -> Iterator[View]:
    found = desk.turn(value)
    yield _rewriting(desk, found.id, found.turn.question)


def _restate(desk: Desk, value: str, text: str) -> Iterator[View]:
    found = desk.turn(value)
    understood = found.turn.answer
    yield _rewriting(desk, found.id, f"{understood.standalone} {format_filters(understood.filters)}".strip())


def _retry(desk: Desk, value: str, text: str) -> Iterator[View]:
    found = desk.turn(value)
    yield from ask(replace(desk, open=Open(desk.open.id, found.id)), found.turn.question, found.turn.scope)


def _drop(desk: Desk, value: str, text: str) -> Iterator[View]:
    """Ask again without one of the filters."""
    turn_id, _, place = value.partition(":")
    found = desk.turn(turn_id)
    understood = found.turn.answer
    parts = turns.parts(understood.filters)
    if not place.isdecimal() or int(place) >= len(parts):
        raise InputError("page", "this filter is no longer there; reload the page")
    question = f"{understood.standalone} {format_filters(parts[int(place)][1])}".strip()
    yield from ask(replace(desk, open=Open(desk.open.id, found.id)), question, found.turn.scope, alone=True)


def _judge(desk: Desk, value: str, text: str) -> Iterator[View]:
    turn_id, _, said = value.partition(":")
    found = desk.turn(turn_id)
    before = found.feedback if found.feedback and not found.feedback.good else Feedback(False)
    given = {"good": Feedback(True), "none": None} | {str(fault): replace(before, fault=fault) for fault in Fault}
    if said not in given:
        raise InputError("page", f"no answer can be judged {said!r}")
    yield _judged(desk, found, given[said])


def _name(desk: Desk, value: str, text: str) -> Iterator[View]:
    """One more paper answers what was answered wrongly."""
    found, given = _wrong(desk, value)
    yield _judged(desk, found, feedback.named(given, *feedback.meant(desk.backend.catalog, text)))


def _nothing(desk: Desk, value: str, text: str) -> Iterator[View]:
    """No paper of the library answers it."""
    found, given = _wrong(desk, value)
    yield _judged(desk, found, replace(given, papers=(), passages=()))


def _unname(desk: Desk, value: str, text: str) -> Iterator[View]:
    turn_id, _, paper_id = value.partition(":")
    found, given = _wrong(desk, turn_id)
    paper = next(iter(desk.backend.catalog.papers.get([paper_id])), None)
    yield _judged(desk, found, feedback.unnamed(given, paper, paper_id))


def _wrong(desk: Desk, turn_id: str) -> tuple[StoredTurn, Feedback]:
    """A turn whose answer was judged to be wrong."""
    found = desk.turn(turn_id)
    if found.feedback is None or found.feedback.good:
        raise InputError("page", "say first what is wrong with this answer")
    return found, found.feedback


def _judged(desk: Desk, found: StoredTurn, given: Feedback | None) -> View:
    desk.conversations.set_feedback(found.id, given)
    return View(talk=desk.talk(desk.stored()), message={"kind": "said", "text": ""})


# Papers


def _seeds(desk: Desk, value: str, text: str) -> Iterator[View]:
    """Fill an empty library with the papers that come with the program."""
    news = ""
    if not desk.backend.catalog.papers.count():
        for news in ingest_view.add(desk.backend.library, [ingest_view.SEEDS]):
            yield View(talk=news)
    yield replace(desk.whole(), now=news)


def _pin(desk: Desk, value: str, text: str) -> Iterator[View]:
    pinned, excluded = desk.scope.pinned, desk.scope.excluded
    if value in pinned:
        yield from _free(desk, value, text)
    else:
        found = desk.backend.catalog.papers.find(value).id
        yield desk.scoped(Scope((*pinned, found), _but(excluded, found)))


def _exclude(desk: Desk, value: str, text: str) -> Iterator[View]:
    pinned, excluded = desk.scope.pinned, desk.scope.excluded
    if value in excluded:
        yield from _free(desk, value, text)
    else:
        found = desk.backend.catalog.papers.find(value).id
        yield desk.scoped(Scope(_but(pinned, found), (*excluded, found)))


def _only(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield desk.scoped(Scope((desk.backend.catalog.papers.find(value).id,)))


def _free(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield desk.scoped(Scope(_but(desk.scope.pinned, value), _but(desk.scope.excluded, value)))


def _everything(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield desk.scoped(EVERYTHING)


def _similar(desk: Desk, value: str, text: str) -> Iterator[View]:
    paper = desk.backend.catalog.papers.find(value)
    said = f"{paper.title or ''} {paper.abstract}"[:_LIKE_CHARACTERS]
    others = desk.backend.assistant(desk.choices).rivals(said, paper)
    shown = evidence.similar_html(paper, others, desk.scope)
    rest = desk.evidence([each.turn for each in desk.stored()])
    yield View(evidence=shown + rest, message={"kind": "top", "id": "evidence"})


def _cite(desk: Desk, value: str, text: str) -> Iterator[View]:
    yield _clipboard(bibliography.bibtex([desk.backend.catalog.papers.find(value)]), "The BibTeX entry is copied.")


def _but(ids: tuple[str, ...], gone: str) -> tuple[str, ...]:
    return tuple(each for each in ids if each != gone)


def _rewriting(desk: Desk, turn_id: int, question: str) -> View:
    """The question in the box, to be changed and asked again in the place of its turn."""
    said = "Change the question and press Enter. Its answer, and what stands below, will be replaced; Esc leaves it."
    return View(
        open=Open(desk.open.id, turn_id), box=one_line(question), message={"kind": "edit", "text": said, "id": turn_id}
    )


def _file(name: str, text: str) -> View:
    return View(message={"kind": "file", "name": name, "text": text})


def _clipboard(text: str, said: str) -> View:
    return View(message={"kind": "copy", "copied": text, "text": said})


def _leave(desk: Desk, value: str, text: str) -> Iterator[View]:
    """No longer change an earlier question."""
    yield View(open=Open(desk.open.id), box="")


_ACTS: dict[str, Callable[[Desk, str, str], Iterator[View]]] = {
    "open": _open,
    "new": _new,
    "rename": _rename,
    "delete": _delete,
    "export": _export,
    "judgements": _judgements,
    "ask": _ask,
    "copy": _copy,
    "edit": _edit,
    "restate": _restate,
    "retry": _retry,
    "drop": _drop,
    "judge": _judge,
    "name": _name,
    "nothing": _nothing,
    "unname": _unname,
    "leave": _leave,
    "seeds": _seeds,
    "pin": _pin,
    "exclude": _exclude,
    "only": _only,
    "free": _free,
    "everything": _everything,
    "similar": _similar,
    "cite": _cite,
}

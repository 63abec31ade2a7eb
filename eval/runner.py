"""Puts an item of a suite to the assistant and takes down what came of it; what fails is taken down as failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from time import perf_counter

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.schema import Answer, Scope, Turn
from assistant.timing import milliseconds
from eval import records
from eval.bench.token_counter import Metered
from eval.records import Asked, Checked, Record
from eval.suites import Claim, Dialog, Question


def put(item: object, suite: str, assistant: Assistant, answers: bool = True) -> list[Record]:
    """The records of one item; without `answers` the library is only searched."""
    return list(_put(item, suite, assistant, answers))


@singledispatch
def _put(item: object, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    raise TypeError(f"not an item of a suite: {item!r}")


@_put.register
def _question(item: Question, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    return [_asked(records.asked(item, suite, answers), (), assistant, answers)[0]]


@_put.register
def _dialog(item: Dialog, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Each turn sees the answers to the turns before it, whether answers are measured or not."""
    history: list[Turn] = []
    found: list[Record] = []
    for turn in item.turns:
        record, answer = _asked(records.asked(turn, suite, answers), history, assistant, True)
        found.append(record if answers else replace(record, reply=None))
        if answer:
            history.append(Turn(turn.text, answer))
    return found


@_put.register
def _claim(item: Claim, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """A claim's verdict is that of an answer that cites the paper; of several sentences, that of the weakest."""
    record = records.claimed(item, suite)
    try:
        return [_checked(record, item, assistant)]
    except PaperchatError as error:
        return [replace(record, error=str(error))]


def _asked(record: Asked, history: Sequence[Turn], assistant: Assistant, answers: bool) -> tuple[Asked, Answer | None]:
    try:
        if not answers:
            found = assistant.search(record.question, history)
            return records.searched(record, found.query.standalone, found.hits, found.timings), None
        answer = assistant.ask(record.question, history)
    except PaperchatError as error:
        return replace(record, error=str(error)), None
    finally:
        tokens = assistant.llm.taken() if isinstance(assistant.llm, Metered) else None
    if answer.withdrawn and answer.withdrawn.failed:  # what stands in its place says nothing of the model
        return replace(record, error=answer.withdrawn.reason), None
    return _metered(records.answered(record, answer), tokens), answer


def _metered(record: Asked, tokens: tuple[int, int] | None) -> Asked:
    if tokens is None or record.reply is None:
        return record
    return replace(record, reply=replace(record.reply, tokens_in=tokens[0], tokens_out=tokens[1]))


def _checked(record: Checked, claim: Claim, assistant: Assistant) -> Checked:
    started = perf_counter()
    found = assistant.verify(claim.text, claim.paper)
    took = milliseconds(started)
    hits = assistant.search(claim.text, scope=Scope(pinned=(claim.paper,))).hits
    return replace(
        record,
        verdict=found.verdict,
        support=found.support,
        passage=found.passage.text if found.passage else "",
        nearest=tuple(passage.text for hit in hits for passage in hit.passages),
        timings={"total_ms": took},
    )

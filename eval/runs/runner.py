"""Put one item of a suite to the assistant and return its records; a failure becomes a record with an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from time import perf_counter

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.question import intent
from assistant.question.understand import understand
from assistant.schema import Answer, Scope, Turn
from assistant.timing import milliseconds
from eval.runs import records
from eval.runs.records import ClaimRecord, IntentRecord, QuestionRecord, Record, RewritingRecord, SideTaken
from eval.runs.token_counter import TokenCounter
from eval.suites import Claim, LabelledMessage, Question, RewrittenDialog, RewrittenTurn, ScriptedDialog
from eval.suites.disagreement import DisputedClaim


def run_item(item: object, suite: str, assistant: Assistant, answers: bool = True) -> list[Record]:
    """Run one item and return its records; without `answers` the library is only searched."""
    return list(_run(item, suite, assistant, answers))


@singledispatch
def _run(item: object, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    raise TypeError(f"not an item of a suite: {item!r}")


@_run.register
def _run_question(item: Question, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    record, _ = _ask(records.question_record(item, suite, answers), (), assistant, answers)
    return [record]


@_run.register
def _run_dialog(item: ScriptedDialog, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Ask each turn with the answers to the turns before it, whether or not answers are measured."""
    history: list[Turn] = []
    turn_records: list[Record] = []
    for turn in item.turns:
        record, answer = _ask(records.question_record(turn, suite, answers), history, assistant, True)
        turn_records.append(record if answers else replace(record, answer=None))
        if answer:
            history.append(Turn(turn.text, answer))
    return turn_records


@_run.register
def _run_claim(item: Claim, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Verify a claim as a sentence of an answer that cites the paper; the weakest of several sentences decides."""
    record = records.claim_record(item, suite)
    try:
        return [_verify(record, item, assistant)]
    except PaperchatError as error:
        return [replace(record, error=str(error))]


@_run.register
def _run_message(item: LabelledMessage, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Record what the message is taken for; nothing is searched."""
    record = records.intent_record(item, suite)
    try:
        return [_recognise(record, assistant)]
    except PaperchatError as error:
        return [replace(record, error=str(error))]


@_run.register
def _run_rewritten_dialog(item: RewrittenDialog, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Rewrite each turn after the answers to the turns before it, whether or not answers are measured."""
    history: list[Turn] = []
    turn_records: list[Record] = []
    for turn in item.turns:
        record = records.rewriting_record(turn, suite, item.split)
        try:
            turn_records.append(_rewrite(record, turn, history, assistant))
            history.append(Turn(turn.text, assistant.ask(turn.text, history)))
        except PaperchatError as error:
            turn_records.append(replace(record, error=str(error)))
    return turn_records


@_run.register
def _run_disputed(item: DisputedClaim, suite: str, assistant: Assistant, answers: bool) -> Sequence[Record]:
    """Record which papers are shown for each side of the claim."""
    record = records.sides_record(item, suite)
    started = perf_counter()
    try:
        sentences = assistant.sides(item.text).sentences
    except PaperchatError as error:
        return [replace(record, error=str(error), taken=())]
    likeliest = sorted(sentences, key=lambda sentence: -sentence.probability)
    by_paper: dict[str, SideTaken] = {}
    for sentence in likeliest:
        taken = SideTaken(sentence.paper.id, sentence.supports, sentence.probability)
        by_paper.setdefault(sentence.paper.id, taken)
    return [replace(record, taken=tuple(by_paper.values()), timings={"total_ms": milliseconds(started)})]


def _recognise(record: IntentRecord, assistant: Assistant) -> IntentRecord:
    started = perf_counter()
    encoder = assistant.question_encoder()
    prediction = intent.predict_message(understand(record.message), encoder)
    return replace(
        record,
        treated_as_research=prediction.reply is None,
        predicted=str(prediction.intent),
        timings={"total_ms": milliseconds(started)},
    )


def _rewrite(
    record: RewritingRecord, turn: RewrittenTurn, history: Sequence[Turn], assistant: Assistant
) -> RewritingRecord:
    """Return the record with the standalone question, and what a search finds for it and for the annotated one."""
    result = assistant.search(turn.text, history)
    expected = assistant.search(turn.standalone)
    return replace(
        record,
        standalone=result.query.standalone,
        is_follow_up=result.query.is_follow_up,
        retrieved=tuple(hit.paper.id for hit in result.hits),
        expected=tuple(hit.paper.id for hit in expected.hits),
        timings=dict(result.timings),
    )


def _ask(
    record: QuestionRecord, history: Sequence[Turn], assistant: Assistant, answers: bool
) -> tuple[QuestionRecord, Answer | None]:
    try:
        if not answers:
            result = assistant.search(record.question, history)
            return records.with_hits(record, result.query.standalone, result.hits, result.timings), None
        answer = assistant.ask(record.question, history)
    except PaperchatError as error:
        return replace(record, error=str(error)), None
    finally:
        tokens = assistant.llm.reset() if isinstance(assistant.llm, TokenCounter) else None
    if answer.withdrawn and answer.withdrawn.failed:  # the answer that replaces it does not measure the model
        return replace(record, error=answer.withdrawn.reason), None
    return _with_tokens(records.with_answer(record, answer), tokens), answer


def _with_tokens(record: QuestionRecord, tokens: tuple[int, int] | None) -> QuestionRecord:
    if tokens is None or record.answer is None:
        return record
    return replace(record, answer=replace(record.answer, tokens_in=tokens[0], tokens_out=tokens[1]))


def _verify(record: ClaimRecord, claim: Claim, assistant: Assistant) -> ClaimRecord:
    started = perf_counter()
    result = assistant.verify(claim.text, claim.paper)
    total_ms = milliseconds(started)
    hits = assistant.search(claim.text, scope=Scope(pinned=(claim.paper,))).hits
    return replace(
        record,
        verdict=result.verdict,
        support=result.support,
        contradiction=result.contradiction,
        passage=result.passage.text if result.passage else "",
        nearest=tuple(passage.text for hit in hits for passage in hit.passages),
        timings={"total_ms": total_ms},
    )

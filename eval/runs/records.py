"""The outcome of one question or one claim as plain values: every figure is computed from these stored records.

Where an attribute has a JSON alias, the alias is the name in the `records.jsonl` of stored runs, old ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from assistant.schema import Answer, Hit, Verdict
from eval.runs.answer_records import AnswerRecord, answer_of
from eval.suites import Claim, LabelledMessage, Question, RewrittenTurn
from eval.suites.disagreement import DisputedClaim
from eval.suites.forms import Expectation, FormQuestion, Policy


@dataclass(frozen=True, slots=True)
class RetrievedPaper:
    """A paper as a search returned it."""

    id: str
    title: str | None
    score: float


@dataclass(frozen=True, slots=True)
class QuestionRecord:
    """A question and its outcome. `answer` is None if only a search was requested or if the question failed.

    `papers` are the relevant ones and `evidence` the sentences that answer the question; a question without papers is
    unanswerable. `style` is how answerable its wording looks. `only_search` is true if no answer was requested.
    `expectation` says which form and content the answer should have, in a suite of forms.
    `timings` are milliseconds by stage. `votes` are the scores of an LLM judge, 0 to 1, with None for a vote without a
    score.
    """

    id: str
    suite: str
    split: str
    group: str
    question: str
    papers: tuple[str, ...]
    evidence: tuple[str, ...]
    style: float | None = None
    expectation: Expectation | None = None
    only_search: bool = False
    standalone: str = ""
    retrieved: Annotated[tuple[RetrievedPaper, ...], Field(alias="found")] = ()
    answer: Annotated[AnswerRecord | None, Field(alias="reply")] = None
    timings: Mapping[str, float] = field(default_factory=dict)
    votes: tuple[float | None, ...] = ()
    error: str | None = None

    @property
    def answerable(self) -> bool:
        """Tell whether the library answers the question."""
        return self.expectation.policy is Policy.ANSWER if self.expectation else bool(self.papers)


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim about a paper, whether it is supported, and the verdict of the assistant.

    `label` and `wording` are those of the claim, where annotated. `contradiction` is None in runs that did not measure
    it. `passage` is shown with the verdict; `nearest` are the passages that a search within that paper shows.
    """

    id: str
    suite: str
    split: str
    group: str
    claim: str
    paper: str
    supported: bool
    evidence: tuple[str, ...]
    label: str = ""
    wording: str = ""
    verdict: Verdict | None = None
    support: float = 0.0
    contradiction: float | None = None
    passage: str = ""
    nearest: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """A message, its intent (also its group), and what the assistant took it for.

    `treated_as_research` tells whether the assistant searches for an answer; None if it failed. `predicted` is the
    intent that it recognised, None where it distinguishes none.
    """

    id: str
    suite: str
    split: str
    group: str
    message: str
    is_research: bool
    treated_as_research: bool | None = None
    predicted: str | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RewritingRecord:
    """A turn of a conversation, the standalone question that it means, and that of the assistant.

    `retrieved` are the papers for the assistant's standalone question, best first; `expected` those for the annotated
    one.
    """

    id: str
    suite: str
    split: str
    group: str
    turn: str
    reference: str
    needs_history: bool
    standalone: str = ""
    is_follow_up: bool | None = None
    retrieved: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SideTaken:
    """A paper that takes a side on a claim; `probability` is 1 where it is known to."""

    paper: str
    supports: bool
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class SidesRecord:
    """A claim, the papers that are known to take a side, and those that the assistant shows, the likeliest first.

    `taken` is None if the claim failed.
    """

    id: str
    suite: str
    split: str
    group: str
    disputed: str
    known: tuple[SideTaken, ...]
    taken: tuple[SideTaken, ...] | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


Record: TypeAlias = QuestionRecord | ClaimRecord | IntentRecord | RewritingRecord | SidesRecord
RecordType = TypeVar("RecordType", QuestionRecord, ClaimRecord, IntentRecord, RewritingRecord, SidesRecord)
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


def to_json(record: Record) -> str:
    """Return the record as one line of JSON."""
    return _RECORD.dump_json(record, by_alias=True).decode()


def from_json(line: str | bytes) -> Record:
    """Return the record of a line of JSON. Raises ValueError for any other line."""
    try:
        return _RECORD.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def question_record(question: Question, suite: str, answers: bool = True) -> QuestionRecord:
    """Return the record of a question without an outcome; `answers` is false if only a search is requested."""
    return QuestionRecord(
        id=question.id,
        suite=suite,
        split=question.split,
        group=question.group,
        question=question.text,
        papers=tuple(sorted(question.papers)),
        evidence=question.evidence,
        style=question.style,
        expectation=question.expectation if isinstance(question, FormQuestion) else None,
        only_search=not answers,
    )


def with_hits(
    record: QuestionRecord, standalone: str, hits: Sequence[Hit], timings: Mapping[str, float]
) -> QuestionRecord:
    """Return the record with the result of a search."""
    retrieved = tuple(RetrievedPaper(hit.paper.id, hit.paper.title, round(hit.score, 6)) for hit in hits)
    return replace(record, standalone=standalone, retrieved=retrieved, timings=dict(timings))


def with_answer(record: QuestionRecord, answer: Answer) -> QuestionRecord:
    """Return the record with an answer and the search behind it."""
    return replace(with_hits(record, answer.standalone, answer.hits, answer.timings), answer=answer_of(answer))


def claim_record(claim: Claim, suite: str) -> ClaimRecord:
    """Return the record of a claim before it is verified."""
    return ClaimRecord(
        id=claim.id,
        suite=suite,
        split=claim.split,
        group=claim.group,
        claim=claim.text,
        paper=claim.paper,
        supported=claim.supported,
        evidence=claim.evidence,
        label=claim.label,
        wording=claim.wording,
    )


def intent_record(message: LabelledMessage, suite: str) -> IntentRecord:
    """Return the record of a message without an outcome."""
    return IntentRecord(message.id, suite, message.split, message.intent, message.text, message.is_research)


def rewriting_record(turn: RewrittenTurn, suite: str, split: str) -> RewritingRecord:
    """Return the record of a turn without an outcome."""
    return RewritingRecord(turn.id, suite, split, turn.group, turn.text, turn.standalone, turn.needs_history)


def sides_record(claim: DisputedClaim, suite: str) -> SidesRecord:
    """Return the record of a disputed claim without an outcome."""
    known = tuple(SideTaken(side.paper, side.supports) for side in claim.sides)
    return SidesRecord(claim.id, suite, claim.split, claim.group, claim.text, known)


def text_of(record: Record) -> str:
    """Return the text that was put to the assistant."""
    match record:
        case QuestionRecord():
            return record.question
        case ClaimRecord():
            return record.claim
        case IntentRecord():
            return record.message
        case RewritingRecord():
            return record.turn
        case SidesRecord():
            return record.disputed


def of_type(records: Iterable[Record], kind: type[RecordType]) -> list[RecordType]:
    """Return the records of one type, in order."""
    return [record for record in records if isinstance(record, kind)]


def group_by_suite(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Group the records by their suite, in order of appearance."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.suite, []).append(record)
    return groups

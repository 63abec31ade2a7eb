"""What became of one question or one claim: all that any figure is computed from, as plain values that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from assistant.schema import Answer, Hit, Passage, Strength, Verdict
from eval.suites import Claim, Question


@dataclass(frozen=True, slots=True)
class Found:
    """A paper as a search returned it."""

    id: str
    title: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Cited:
    """A paper as an answer cited it, with the passages behind the citation; its number is its place, from 1."""

    id: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    support: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer or an abstention. `tokens_in` and `tokens_out` are None where no language model wrote it."""

    strength: Strength
    confidence: float
    reason: str | None
    text: str
    cited: tuple[Cited, ...] = ()
    sentences: tuple[Said, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None

    @property
    def answered(self) -> bool:
        """Whether it is an answer rather than an abstention."""
        return self.strength is not Strength.NONE


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what came of it; `reply` is None where only a search was asked for, or where that failed.

    `papers` are the relevant ones and `evidence` the sentences that answer; a question without papers is
    unanswerable. `only_search` says that no answer was asked for. `timings` are milliseconds by stage. `votes` are a
    judge's, 0..1, None for a vote that was none.
    """

    id: str
    suite: str
    split: str
    group: str
    question: str
    papers: tuple[str, ...]
    evidence: tuple[str, ...]
    only_search: bool = False
    standalone: str = ""
    found: tuple[Found, ...] = ()
    reply: Reply | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    votes: tuple[float | None, ...] = ()
    error: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether any paper answers it."""
        return bool(self.papers)


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim about a paper, whether it is supported, and what the assistant made of it.

    `passage` is shown with the verdict; `nearest` are the passages that a search in that paper shows.
    """

    id: str
    suite: str
    split: str
    group: str
    claim: str
    paper: str
    supported: bool
    evidence: tuple[str, ...]
    verdict: Verdict | None = None
    support: float = 0.0
    passage: str = ""
    nearest: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


Record: TypeAlias = Asked | Checked
_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


def to_json(record: Record) -> str:
    """One line of JSON."""
    return _RECORD.dump_json(record).decode()


def from_json(line: str | bytes) -> Record:
    """The record of a line. Raises ValueError where it is none."""
    try:
        return _RECORD.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def asked(question: Question, suite: str, answers: bool = True) -> Asked:
    """The record of a question before it is put to anybody; without `answers` for a search only."""
    return Asked(
        id=question.id,
        suite=suite,
        split=question.split,
        group=question.group,
        question=question.text,
        papers=tuple(sorted(question.papers)),
        evidence=question.evidence,
        only_search=not answers,
    )


def searched(record: Asked, standalone: str, hits: Sequence[Hit], timings: Mapping[str, float]) -> Asked:
    """The record with what a search found."""
    found = tuple(Found(hit.paper.id, hit.paper.title, round(hit.score, 6)) for hit in hits)
    return replace(record, standalone=standalone, found=found, timings=dict(timings))


def answered(record: Asked, answer: Answer) -> Asked:
    """The record with the answer."""
    reply = Reply(
        strength=answer.strength,
        confidence=answer.confidence,
        reason=answer.reason,
        text=answer.text,
        cited=tuple(Cited(each.paper.id, _texts(each.passages)) for each in answer.citations),
        sentences=tuple(Said(each.text, each.citations, each.verdict, each.support) for each in answer.sentences),
    )
    return replace(searched(record, answer.standalone, answer.hits, answer.timings), reply=reply)


def claimed(claim: Claim, suite: str) -> Checked:
    """The record of a claim before it is checked."""
    return Checked(
        id=claim.id,
        suite=suite,
        split=claim.split,
        group=claim.group,
        claim=claim.text,
        paper=claim.paper,
        supported=claim.supported,
        evidence=claim.evidence,
    )


def _texts(passages: Sequence[Passage]) -> tuple[str, ...]:
    return tuple(passage.text for passage in passages)

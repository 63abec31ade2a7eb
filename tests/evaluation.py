"""Build questions, records, runs and folders for the tests of eval. A letter is both id and title of a paper."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.schema import Paper, Strength, Verdict
from eval.runs.answer_records import AnswerRecord, CheckedSentenceRecord, CitedPaper
from eval.runs.records import (
    ClaimRecord,
    QuestionRecord,
    Record,
    RetrievedPaper,
)
from eval.runs.storage import Run, RunDescription
from eval.suites import Question, ScriptedDialog

PAPERS = (
    Paper(
        "ice",
        "Glaciers in the northern Alps lost a third of their ice between 1990 and 2020. We measure the loss with "
        "airborne laser scans of 412 glaciers. The loss doubles after 2005. Small glaciers shrink the fastest.",
        "Loss of Alpine glacier ice",
    ),
    Paper(
        "bees",
        "Honey bees communicate the place of flowers by a waggle dance. We decode 5,096 dances with a neural network. "
        "The network reads the direction of a dance with an error of 4 degrees. Older bees dance longer.",
        "Decoding the waggle dance",
    ),
    Paper(
        "bread",
        "Sourdough bread rises by wild yeast and lactic acid bacteria. We sequence the starters of 500 bakers. Acetic "
        "acid bacteria are found in a third of them. The smell of a starter depends on its bacteria.",
        "Bacteria of sourdough starters",
    ),
)
QUESTIONS = (
    Question("q-ice", "When does the loss of glacier ice double?", frozenset({"ice"}), "dev", "easy"),
    Question("q-bees", "How do honey bees communicate the place of flowers?", frozenset({"bees"}), "dev", "easy"),
    Question("q-bread", "Whose starters of sourdough bread are sequenced?", frozenset({"bread"}), "test", "hard"),
)
NOT_THERE = Question("q-none", "zzqy xylophone wombats", frozenset(), "dev", "far")
TALK = ScriptedDialog(
    "talk",
    (
        Question("talk-1", "What do honey bees communicate by a waggle dance?", frozenset({"bees"}), "dev", "alone"),
        Question("talk-2", "Which of them dance longer?", frozenset({"bees"}), "dev", "history"),
        Question("talk-3", "When does the loss of glacier ice double?", frozenset({"ice"}), "dev", "switch"),
    ),
    "dev",
)


def answer_record(
    strength: Strength = Strength.FIRM,
    cited: str = "",
    passages: Sequence[str] = (),
    sentences: Sequence[CheckedSentenceRecord] = (),
    confidence: float = 0.5,
    text: str = "",
    tokens: tuple[int, int] | None = None,
) -> AnswerRecord:
    """Return an answer that cites a paper for each letter, all with these passages."""
    return AnswerRecord(
        strength=strength,
        confidence=confidence,
        reason=None,
        text=text,
        cited=tuple(CitedPaper(letter, tuple(passages)) for letter in cited),
        sentences=tuple(sentences),
        tokens_in=tokens[0] if tokens else None,
        tokens_out=tokens[1] if tokens else None,
    )


def sentence_record(*citations: int, verdict: Verdict = Verdict.SUPPORTED) -> CheckedSentenceRecord:
    """Return a sentence of an answer."""
    return CheckedSentenceRecord("A sentence.", citations, verdict, 1.0 if verdict is Verdict.SUPPORTED else 0.0)


def question_record(
    name: str,
    papers: str = "",
    retrieved: str = "",
    answer: AnswerRecord | None = None,
    *,
    suite: str = "single",
    group: str = "all",
    question: str | None = None,
    evidence: Sequence[str] = (),
    style: float | None = None,
    votes: Sequence[float | None] = (),
    timings: Mapping[str, float] | None = None,
    error: str | None = None,
) -> QuestionRecord:
    """Return the record of a question; `retrieved` has a letter for each paper, best first, all of one score."""
    return QuestionRecord(
        id=name,
        suite=suite,
        split="dev",
        group=group,
        question=question or f"{name}?",
        papers=tuple(papers),
        evidence=tuple(evidence),
        style=style,
        only_search=answer is None and error is None,
        retrieved=tuple(RetrievedPaper(letter, letter, 0.5) for letter in retrieved),
        answer=answer,
        votes=tuple(votes),
        timings=timings or {},
        error=error,
    )


def claim_record(
    name: str,
    supported: bool,
    verdict: Verdict | None = Verdict.SUPPORTED,
    support: float = 0.5,
    *,
    suite: str = "claims",
    group: str = "all",
    label: str = "",
    wording: str = "",
    contradiction: float | None = None,
    evidence: Sequence[str] = (),
    passage: str = "",
    error: str | None = None,
) -> ClaimRecord:
    """Return the record of a claim about paper `a`."""
    return ClaimRecord(
        id=name,
        suite=suite,
        split="dev",
        group=group,
        claim=f"{name}.",
        paper="a",
        supported=supported,
        evidence=tuple(evidence),
        label=label,
        wording=wording,
        verdict=verdict,
        support=support,
        contradiction=contradiction,
        passage=passage,
        error=error,
    )


def run_of(records: Iterable[Record], name: str = "one", missing: int = 0, **description: Any) -> Run:
    """Return a run with these records, and with `missing` questions that were never asked."""
    stored = tuple(records)
    items: dict[str, int] = {}
    for record in stored:
        items[record.suite] = items.get(record.suite, 0) + 1
    if missing:
        items["single"] = items.get("single", 0) + missing
    return Run(RunDescription(name=name, options={}, settings={}, items=items, **description), stored)


def write(file: Path, rows: Iterable[Any]) -> None:
    """Write a line for each row, as JSON unless it is text; compressed if the file's name ends in .gz."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())


def write_claims(folder: Path) -> Path:
    """Write a folder like SciFact's: three abstracts split into sentences, claims about them, and their evidence."""
    rows = [
        {"id": paper.id, "title": paper.title, "abstract": paper.abstract, "sentences": _sentences(paper.abstract)}
        for paper in PAPERS
    ]
    write(folder / "corpus.jsonl.gz", rows)
    claims = [
        {"id": "1", "text": "The loss of ice doubles after 2005.", "split": "dev"},
        {"id": "2", "text": "Younger bees dance longer.", "split": "dev"},
        {"id": "3", "text": "The smell of a starter depends on its bacteria.", "split": "test"},
    ]
    write(folder / "queries.jsonl", claims)
    write(folder / "qrels.tsv", ["1\tice\t1", "2\tbees\t1", "3\tbread\t1"])
    write(folder / "evidence.tsv", ["1\tice\tSUPPORT\t2", "2\tbees\tCONTRADICT\t3", "3\tbread\tSUPPORT\t2,3"])
    return folder


def _sentences(abstract: str) -> list[str]:
    return [f"{sentence.rstrip('.')}." for sentence in abstract.split(". ")]

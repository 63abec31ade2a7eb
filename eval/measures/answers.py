"""Measures of answers and abstentions: a function from a record to its value, None where the measure does not apply."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import TypeAlias

from assistant import citations
from assistant.schema import Strength, Verdict
from eval.runs.answer_records import AnswerRecord
from eval.runs.records import QuestionRecord

Measure: TypeAlias = Callable[[QuestionRecord], float | None]
AnswerMeasure: TypeAlias = Callable[[QuestionRecord, AnswerRecord], float | None]


def cites_relevant(record: QuestionRecord, answer: AnswerRecord) -> float:
    """Return 1 if the answer cites a relevant paper, otherwise 0."""
    return float(any(cited.id in record.papers for cited in answer.cited))


def contains_evidence(evidence: Iterable[str], passages: Iterable[str]) -> bool:
    """Tell whether any passage overlaps any evidence sentence."""
    texts = list(passages)
    return any(_overlaps(sentence, passage) for sentence in evidence for passage in texts)


def _over_questions(measure: AnswerMeasure, answerable: bool) -> Measure:
    """Apply a measure of answers to answerable, or to unanswerable, questions; a failed question scores 0."""

    def value(record: QuestionRecord) -> float | None:
        if record.only_search or record.answerable is not answerable:
            return None
        return measure(record, record.answer) if record.answer else 0.0

    return value


def _over_answers(measure: AnswerMeasure) -> Measure:
    """Apply a measure to answers to answerable questions and leave abstentions out."""
    return _over_questions(lambda record, answer: measure(record, answer) if answer.answered else None, True)


def _restricted(condition: Callable[[QuestionRecord], bool], measure: Measure) -> Measure:
    """Apply a measure only to the questions that satisfy the condition, failed ones included."""
    return lambda record: measure(record) if condition(record) else None


def has_evidence(record: QuestionRecord) -> bool:
    """Tell whether it is known which sentences answer the question."""
    return bool(record.evidence)


def _relevant_in_top_5(record: QuestionRecord) -> bool:
    return any(paper.id in record.papers for paper in record.retrieved[:5])


def _evidence_recall(record: QuestionRecord, answer: AnswerRecord) -> float:
    passages = _passages(answer)
    return fmean(contains_evidence([sentence], passages) for sentence in record.evidence)


def _evidence_precision(record: QuestionRecord, answer: AnswerRecord) -> float | None:
    passages = _passages(answer)
    return fmean(contains_evidence(record.evidence, [passage]) for passage in passages) if passages else None


def quotes_evidence(record: QuestionRecord, answer: AnswerRecord) -> float:
    """Return 1 if a passage behind the answer overlaps an evidence sentence, otherwise 0."""
    return float(contains_evidence(record.evidence, _passages(answer)))


def _citation_recall(record: QuestionRecord, answer: AnswerRecord) -> float | None:
    """Return the share of sentences that cite a relevant paper."""
    if not answer.sentences:
        return None
    return fmean(
        any(_is_relevant(number, record, answer) for number in sentence.citations) for sentence in answer.sentences
    )


def _citation_precision(record: QuestionRecord, answer: AnswerRecord) -> float | None:
    """Return the share of citations that name a relevant paper."""
    numbers = [number for sentence in answer.sentences for number in sentence.citations]
    return fmean(_is_relevant(number, record, answer) for number in numbers) if numbers else None


def _sentences_supported(_: QuestionRecord, answer: AnswerRecord) -> float | None:
    statements = [sentence for sentence in answer.sentences if sentence.verdict is not Verdict.REMARK]
    return fmean(sentence.verdict is Verdict.SUPPORTED for sentence in statements) if statements else None


def _citation_numbers_valid(record: QuestionRecord) -> float | None:
    """Return 1 if every number in the text and on each sentence stands for a cited paper."""
    if record.answer is None or not record.answer.answered:
        return None
    numbers = {number for sentence in record.answer.sentences for number in sentence.citations}
    numbers |= set(citations.numbers(record.answer.text))
    return float(numbers <= set(range(1, len(record.answer.cited) + 1)))


def _judge_score(record: QuestionRecord) -> float | None:
    scores = [vote for vote in record.votes if vote is not None]
    return fmean(scores) if scores else None


def _is_relevant(number: int, record: QuestionRecord, answer: AnswerRecord) -> bool:
    return 1 <= number <= len(answer.cited) and answer.cited[number - 1].id in record.papers


def _passages(answer: AnswerRecord) -> list[str]:
    return [passage for cited in answer.cited for passage in cited.passages]


def _overlaps(sentence: str, passage: str) -> bool:
    """Tell whether one text contains the other: two splitters may cut sentences differently."""
    sentence, passage = " ".join(sentence.split()), " ".join(passage.split())
    return bool(sentence and passage) and (sentence in passage or passage in sentence)


_FIRM = _over_questions(lambda _, answer: float(answer.strength is Strength.FIRM), True)
ANSWER_MEASURES: dict[str, Measure] = {
    "answered": _over_questions(lambda _, answer: float(answer.answered), True),
    "firm": _FIRM,
    "firm, gold paper in top 5": _restricted(_relevant_in_top_5, _FIRM),
    "gold paper cited": _over_questions(cites_relevant, True),
    "gold sentence quoted": _restricted(has_evidence, _over_questions(quotes_evidence, True)),
    "evidence recall": _restricted(has_evidence, _over_questions(_evidence_recall, True)),
    "evidence precision": _restricted(has_evidence, _over_answers(_evidence_precision)),
    "citation recall": _over_answers(_citation_recall),
    "citation precision": _over_answers(_citation_precision),
    "sentences supported": _over_answers(_sentences_supported),
    "not answered firmly": _over_questions(lambda _, answer: float(answer.strength is not Strength.FIRM), False),
    "refused": _over_questions(lambda _, answer: float(not answer.answered), False),
    "citation numbers valid": _citation_numbers_valid,
    "judge's score": _judge_score,
}

"""Measures of how an answer reads: its length, and whether its sentences can be understood where they stand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from statistics import fmean
from typing import TypeAlias

from assistant import citations
from assistant.digest import standalone
from eval.measures.answers import Measure
from eval.runs.answer_records import AnswerRecord, CheckedSentenceRecord
from eval.runs.records import QuestionRecord

# The probability that a sentence of an abstract, at this 0-based position, needs the one before it to be understood.
# Arguments: the sentence, its position, the title of the paper (empty if it has none).
Judgement: TypeAlias = Callable[[str, int, str], float]


def readability_measures(judgement: Judgement = standalone.leaning) -> dict[str, Measure]:
    """Return the measures, with a judgement of sentences. Abstentions are left out; less is better."""
    return {
        "words an answer": _over_answers(_words),
        "sentences an answer": _over_answers(_count),
        "sentences that do not stand alone": _over_answers(lambda answer: leaning_share(answer, judgement)),
    }


def leaning_share(answer: AnswerRecord, judgement: Judgement) -> float | None:
    """Return the share of quoted sentences that lean on a sentence which does not precede them in the answer.

    None if nothing is quoted.
    """
    pairs = itertools.pairwise((None, *answer.sentences))
    leaning = [
        not _continues(before, sentence) and _leans(sentence, judgement)
        for before, sentence in pairs
        if sentence is not None and sentence.quotation is not None
    ]
    return fmean(leaning) if leaning else None


def _leans(sentence: CheckedSentenceRecord, judgement: Judgement) -> bool:
    quotation = sentence.quotation
    return (
        quotation is not None
        and judgement(sentence.text, quotation.position, quotation.title or "") >= standalone.LEANS_FROM
    )


def _continues(before: CheckedSentenceRecord | None, sentence: CheckedSentenceRecord) -> bool:
    """Tell whether the sentence before it in the answer is the one before it in the abstract."""
    if before is None or before.quotation is None or sentence.quotation is None:
        return False
    previous, current = before.quotation, sentence.quotation
    return (previous.paper, previous.position + 1) == (current.paper, current.position)


def _words(answer: AnswerRecord) -> float:
    return float(len(citations.remove_markers(answer.text).split()))


def _count(answer: AnswerRecord) -> float:
    return float(len(answer.sentences))


def _over_answers(measure: Callable[[AnswerRecord], float | None]) -> Measure:
    def value(record: QuestionRecord) -> float | None:
        return measure(record.answer) if record.answer and record.answer.answered else None

    return value

"""Measures of answers whose form and content are known: a function from a record to its value, None if not applicable.

A question that failed scores zero. The papers that an answer shows are those that it cites and those of its table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import fmean
from typing import TypeAlias

from assistant.schema import Strength
from assistant.verification.quantities import quantities
from eval.measures.answers import Measure, has_evidence, quotes_evidence
from eval.runs.answer_records import AnswerRecord
from eval.runs.records import QuestionRecord
from eval.suites.forms import Expectation, Form, Policy

Applies: TypeAlias = Callable[[QuestionRecord, Expectation], bool]
Score: TypeAlias = Callable[[QuestionRecord, Expectation, AnswerRecord], float | None]

_STRENGTHS = {Policy.ANSWER: Strength.FIRM, Policy.PARTIAL: Strength.TENTATIVE, Policy.ABSTAIN: Strength.NONE}
_MAX_PARTIAL_SENTENCES = 2
# Forms that are no intent of a question: they say how hard it is to answer.
_NO_INTENT = (Form.ABSTAIN, Form.PARTIAL, Form.OTHER_LANGUAGE)
# Forms whose answers name papers rather than quote them one by one.
_CATALOGS = (Form.LIST, Form.METADATA)


def shown_papers(answer: AnswerRecord) -> set[str]:
    """Return the ids of the papers that the answer cites or has in its table."""
    rows = answer.table.rows if answer.table else ()
    return {cited.id for cited in answer.cited} | {row.paper for row in rows}


def visible_text(answer: AnswerRecord) -> str:
    """Return what a reader sees of the answer: its lines, and its table with the titles of the papers."""
    lines = [answer.opening, answer.text, answer.reason or ""]
    if answer.table:
        lines += answer.table.columns
        lines += [value for row in answer.table.rows for value in (row.title, *row.values) if value]
    return "\n".join(lines)


def _measure(score: Score, applies: Applies) -> Measure:
    """Apply a score to the questions that satisfy a condition; one that failed has 0."""

    def value(record: QuestionRecord) -> float | None:
        expectation = record.expectation
        if expectation is None or record.only_search or not applies(record, expectation):
            return None
        return score(record, expectation, record.answer) if record.answer else 0.0

    return value


def _measure_answers(score: Score, applies: Applies) -> Measure:
    """Apply a score to the questions that satisfy a condition and were answered."""

    def is_answered(record: QuestionRecord, expectation: Expectation) -> bool:
        return record.answer is not None and record.answer.answered and applies(record, expectation)

    return _measure(score, is_answered)


def _always(_: QuestionRecord, __: Expectation) -> bool:
    return True


def _has_intent(_: QuestionRecord, expectation: Expectation) -> bool:
    """Tell whether the form is what the assistant may take a question to ask for."""
    return expectation.form not in _NO_INTENT


def _cites(record: QuestionRecord, expectation: Expectation) -> bool:
    return bool(record.papers) and expectation.policy is not Policy.ABSTAIN


def _quotes(record: QuestionRecord, expectation: Expectation) -> bool:
    return _cites(record, expectation) and expectation.form not in _CATALOGS


def _names_papers(record: QuestionRecord, expectation: Expectation) -> bool:
    return _cites(record, expectation) and expectation.form in _CATALOGS


def _form_recognised(_: QuestionRecord, expectation: Expectation, answer: AnswerRecord) -> float:
    return float(answer.intent == expectation.form)


def _policy_kept(_: QuestionRecord, expectation: Expectation, answer: AnswerRecord) -> float:
    """Return 1 if the strength is the expected one, and a partial answer or an abstention looks like one."""
    is_expected = answer.strength is _STRENGTHS[expectation.policy]
    return float(is_expected and _is_brief(answer) is not False and _is_plain(answer) is not False)


def _is_brief(answer: AnswerRecord) -> bool | None:
    """Return whether a partial answer has at most two sentences; None for any other."""
    return len(answer.sentences) <= _MAX_PARTIAL_SENTENCES if answer.strength is Strength.TENTATIVE else None


def _is_plain(answer: AnswerRecord) -> bool | None:
    """Return whether an abstention quotes nothing and names the nearest papers; None for an answer."""
    return None if answer.answered else not answer.cited and not answer.sentences and bool(answer.nearest)


def _outcome(check: Callable[[AnswerRecord], bool | None]) -> Measure:
    """Apply a check to the answers that it is about, whichever outcome was expected."""

    def value(record: QuestionRecord) -> float | None:
        passed = check(record.answer) if record.answer else None
        return None if passed is None else float(passed)

    return value


def _gold_cited(record: QuestionRecord, _: Expectation, answer: AnswerRecord) -> float:
    return float(not shown_papers(answer).isdisjoint(record.papers))


def _recall(record: QuestionRecord, _: Expectation, answer: AnswerRecord) -> float:
    return len(shown_papers(answer) & set(record.papers)) / len(record.papers)


def _precision(record: QuestionRecord, expectation: Expectation, answer: AnswerRecord) -> float | None:
    """Return the share of the shown papers that are relevant or borderline."""
    shown = shown_papers(answer)
    return len(shown & {*record.papers, *expectation.borderline}) / len(shown) if shown else None


def _sides_cited(_: QuestionRecord, expectation: Expectation, answer: AnswerRecord) -> float:
    """Return 1 if a paper is cited for each side that the library knows."""
    shown = shown_papers(answer)
    return float(all(not shown.isdisjoint(side.papers) for side in expectation.sides if side.papers))


def _strings_present(_: QuestionRecord, expectation: Expectation, answer: AnswerRecord) -> float:
    """Return the share of the expected strings that the answer shows as whole words, in any case.

    A number may be written in words.
    """
    text = visible_text(answer)
    in_words = {str(int(quantity.value)) for quantity in quantities(text) if not quantity.in_digits}
    return fmean(string in in_words or _contains(text, string) for string in expectation.strings)


def _contains(text: str, string: str) -> bool:
    pattern = r"\s+".join(map(re.escape, string.split()))
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None


FORM_MEASURES: dict[str, Measure] = {
    "form recognised": _measure(_form_recognised, _has_intent),
    "policy kept": _measure(_policy_kept, _always),
    "partial in two sentences": _outcome(_is_brief),
    "abstention plain": _outcome(_is_plain),
    "gold paper cited": _measure(_gold_cited, _cites),
    "cited papers right": _measure_answers(_precision, _quotes),
    "gold sentence quoted": _measure(
        lambda record, _, answer: quotes_evidence(record, answer), lambda record, _: has_evidence(record)
    ),
    "list recall": _measure(_recall, _names_papers),
    "list precision": _measure_answers(_precision, _names_papers),
    "both sides cited": _measure(_sides_cited, lambda _, expectation: bool(expectation.sides)),
    "expected text shown": _measure(_strings_present, lambda _, expectation: bool(expectation.strings)),
}

"""Measures of intents and of rewritten turns: a function from a record to its value, None where it does not apply."""

from __future__ import annotations

import re
from collections.abc import Callable

from eval.runs.records import IntentRecord, RewritingRecord

_TOP = 5


def _research_recognised(record: IntentRecord) -> float:
    """Return 1 if research is searched for and anything else is not; a failed message counts as wrong."""
    return float(record.treated_as_research == record.is_research)


def _intent_accuracy(record: IntentRecord) -> float | None:
    return None if record.predicted is None else float(record.predicted == record.group)


def _follow_up_recognised(record: RewritingRecord) -> float:
    return float(record.is_follow_up == record.needs_history)


def _word_f1(record: RewritingRecord) -> float:
    """Return the F1 score of the words of the standalone question, each counted once, against the annotated ones."""
    words, reference = _words(record.standalone), _words(record.reference)
    return 2 * len(words & reference) / max(1, len(words) + len(reference))


def _same_papers(record: RewritingRecord) -> float | None:
    """Return the share of the first papers for the annotated question that are among those for the assistant's."""
    if record.error:
        return 0.0
    expected = set(record.expected[:_TOP])
    return len(expected & set(record.retrieved[:_TOP])) / len(expected) if expected else None


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


INTENT_MEASURES: dict[str, Callable[[IntentRecord], float | None]] = {
    "research recognised": _research_recognised,
    "intent accuracy": _intent_accuracy,
}
REWRITING_MEASURES: dict[str, Callable[[RewritingRecord], float | None]] = {
    "follow-up recognised": _follow_up_recognised,
    "word F1 of standalone": _word_f1,
    "same papers in top 5": _same_papers,
}

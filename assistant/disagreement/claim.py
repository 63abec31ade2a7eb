"""Read the claim in what a person typed: a statement, a question for yes or no, or one for both sides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.disagreement.question import disputed
from assistant.disagreement.sides import TAKES_SIDE, PaperSearch
from assistant.errors import InputError
from assistant.protocols import PairReader
from assistant.question import intent
from assistant.question.intent import Intent
from assistant.question.inversion import statement
from assistant.schema import Paper, Query
from assistant.text.function_words import AUXILIARIES
from assistant.text.sentences import passages

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder

# Questions that no sentence can support or contradict.
_WITHOUT_SIDES = frozenset({Intent.DEFINITION, Intent.LIST, Intent.SUMMARY, Intent.METADATA, Intent.FACT})
# What opens a clause, which is a claim; and the probability from which a topic without it is one.
_CLAUSE = re.compile(r"(?:whether|that|if)\s+", re.IGNORECASE)
_IS_CLAIM = 0.5
# Papers on a topic whose statements are compared, and sentences of them that are read against the others.
_ON_TOPIC, _CANDIDATES = 10, 6


def read_claim(query: Query, encoder: QuestionEncoder, search: PaperSearch, reader: PairReader) -> str:
    """Return the claim of a text; for a topic, the statement on it that papers differ on most.

    Raises InputError for an empty text, one that is not about research, and a question that takes no side; ModelError.
    """
    if query.is_blank:
        raise InputError("claim", "is empty: give a statement, or a question that is answered by yes or no")
    prediction = intent.predict(query.standalone, encoder)
    if prediction.reply:
        raise InputError("claim", "this is neither a claim nor a question about research")
    if topic := disputed(query, encoder):
        return topic_claim(topic, encoder, search, reader)
    text = query.standalone
    if not _begins_with_auxiliary(text) and text.rstrip().endswith("?") and prediction.intent in _WITHOUT_SIDES:
        raise InputError("claim", "this question takes no side: ask for yes or no, or give a statement")
    return statement(text)


def topic_claim(topic: str, encoder: QuestionEncoder, search: PaperSearch, reader: PairReader) -> str:
    """Return what a question for both sides is about as a claim. Raises ModelError."""
    clause = _CLAUSE.match(topic)
    text = topic[clause.end() :] if clause else topic
    if _begins_with_auxiliary(text):
        return statement(text)
    if clause or intent.predict(text, encoder).share((Intent.CLAIM, Intent.YES_NO)) >= _IS_CLAIM:
        return text
    return most_disputed(text, search(text)[:_ON_TOPIC], reader) or text


def most_disputed(topic: str, papers: Sequence[Paper], reader: PairReader) -> str | None:
    """Return the sentence on a topic that another paper contradicts most; None if none does. Raises ModelError."""
    split = [[passage.text for passage in passages(paper.abstract)] for paper in papers if paper.abstract]
    readings = reader.read([(topic, sentences) for sentences in split])
    candidates = [
        (number, max(zip(reading.deciding, split[number], strict=True))[1]) for number, reading in enumerate(readings)
    ][:_CANDIDATES]
    pairs = [(number, other) for number, _ in candidates for other in range(len(split)) if other != number]
    sentences = dict(candidates)
    contradicted: dict[int, float] = {}
    compared = reader.read([(sentences[number], split[other]) for number, other in pairs])
    for (number, _), reading in zip(pairs, compared, strict=True):
        contradicted[number] = max(contradicted.get(number, 0.0), reading.contradicted)
    most = max(contradicted, key=contradicted.__getitem__, default=None)
    return sentences[most] if most is not None and contradicted[most] >= TAKES_SIDE else None


def _begins_with_auxiliary(text: str) -> bool:
    return text.split(" ", 1)[0].casefold() in AUXILIARIES

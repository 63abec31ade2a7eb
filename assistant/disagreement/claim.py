"""Read the claim in what a person typed: a statement, a question for yes or no, or one for both sides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.disagreement.question import disputed
from assistant.disagreement.sides import TAKES_SIDE, Claim, PaperSearch
from assistant.errors import InputError
from assistant.protocols import PairReader
from assistant.question import intent
from assistant.question.intent import Intent
from assistant.question.inversion import auxiliary_of, statement
from assistant.schema import Paper, Query
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


def read_claim(query: Query, encoder: QuestionEncoder, search: PaperSearch, reader: PairReader) -> Claim:
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
    if not auxiliary_of(text) and text.rstrip().endswith("?") and prediction.intent in _WITHOUT_SIDES:
        raise InputError("claim", "this question takes no side: ask for yes or no, or give a statement")
    return _stated(text)


def topic_claim(topic: str, encoder: QuestionEncoder, search: PaperSearch, reader: PairReader) -> Claim:
    """Return what a question for both sides is about as a claim. Raises ModelError."""
    clause = _CLAUSE.match(topic)
    text = topic[clause.end() :] if clause else topic
    if auxiliary_of(text):
        return _stated(text)
    if clause or intent.predict(text, encoder).share((Intent.CLAIM, Intent.YES_NO)) >= _IS_CLAIM:
        return Claim(text)
    return Claim(most_disputed(text, search(text)[:_ON_TOPIC], reader) or text)


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


def _stated(text: str) -> Claim:
    """Return the claim of a statement, or of a question that begins with its auxiliary verb."""
    auxiliary = auxiliary_of(text)
    return Claim(statement(text), f"{text.strip().rstrip('? ')}?" if auxiliary else "", auxiliary)

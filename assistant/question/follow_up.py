"""Decide how a message relates to the conversation before it, and which papers or topics of it the message names.

The relation is predicted (`python -m eval.training.dialogs`) from the message's pooled vector, its form, its similarity
to the topics so far, and how likely the message reader finds that it follows up on something. A classifier on the form
and that alone serves embedders that none was fitted for. References
have a grammar and are parsed: "[2]", "the second paper", an opening that announces another topic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assistant import logistic
from assistant.question import fitted
from assistant.question.intent import Intent
from assistant.schema import Turn

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.question.encoder import QuestionEncoder

FORM_WEIGHTS = fitted.PACKAGED / "follow_ups_form.npz"
# Log-odds are scaled to the size of the other features, which the fit penalizes alike.
_ODDS_SCALE = 0.3
# The probability of a follow-up where no model has read the message: about their share of the labelled messages.
_UNREAD = 0.07
# Topics that a message is compared with, the latest.
_MAX_TOPICS = 8

# An opening that announces another topic.
_TOPIC_SWITCH = re.compile(
    r"^(?:(?:ok|okay|alright|right|now|so|well|thanks|thank you)\b[\s,.!:-]*)*(?:(?:now|and|let's|to)\s+)?"
    r"(?:(?:on\s+)?(?:to\s+)?(?:a\s+|an\s+|some|one\s+|something\s+)*\b(?:different|another|new|unrelated|separate|"
    r"other)"
    r"\s+(?:thing|topic|question|subject|matter|note|issue)|something\s+(?:else|different)|"
    r"(?:chang\w+|switch\w+)\s+(?:the\s+)?(?:topics?|subjects?|gears)|unrelated)\b"
    r"(?:\s+(?:entirely|now|then))?\s*[:,.;–-]+\s*",
    re.IGNORECASE,
)
# An opening that announces a return to an earlier topic.
_TOPIC_RETURN = re.compile(
    r"^(?:(?:ah|cool|great|hm+|i\s+see|interesting|no|oh|ok|okay|right|sure|thanks|well|yes)\b[\s,.!]*)*"
    r"(?:(?:and|but|so|now)\b[\s,]*)?(?:(?:can\s+we|let's|let\s+me|i'd\s+like\s+to)\s+)?"
    r"(?:(?:\w+ing\s+|go\s+|come\s+|get\s+)?back\s+to|return(?:ing)?\s+to)\b",
    re.IGNORECASE,
)
_PAPER_NOUN = r"(?:papers?|stud(?:y|ies)|articles?|abstracts?|publications?|references?|sources?|citations?|ones?)"
_ORDINALS = {"first": 1, "1st": 1, "former": 1, "second": 2, "2nd": 2, "latter": 2, "third": 3, "3rd": 3}
_ORDINALS |= {"fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "last": -1}
_ORDINAL = re.compile(
    rf"\bthe\s+(?:(?P<which>{'|'.join(_ORDINALS)})\s+"
    rf"(?P<what>{_PAPER_NOUN}|approach|idea|method|model|part|point|result)|(?P<pair>former|latter))\b"
    r"(?!\s+(?:about|of|on|to|who|that)\b)",
    re.IGNORECASE,
)
_CITATION_NUMBER = re.compile(r"\[(\d{1,3})\]|\b(?:paper|citation|source|reference)\s+#?(\d{1,2})\b", re.IGNORECASE)


class Relation(StrEnum):
    """How a message relates to the conversation: on its own, on the current topic, or back on an earlier one."""

    STANDALONE = "standalone"
    CONTINUATION = "continuation"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Link:
    """The relation of a message to the conversation, and the turn with the topic that it is on, if it needs one."""

    relation: Relation
    topic: Turn | None = None


def link(message: str, history: Sequence[Turn], encoder: QuestionEncoder | None = None) -> Link:
    """Return how the message, without its filters, relates to the conversation of at least one turn.

    Without an encoder the form alone decides. Raises ModelError.
    """
    topics, current = _topics(history), _current_topic(history)
    earlier = [topic for topic in topics if topic is not current][-_MAX_TOPICS:]
    similarities = _similarities(message, current, earlier, encoder)
    relation = _announced(message) or _relation(message, similarities, encoder)
    if relation is Relation.STANDALONE and not (cited_numbers(message) or ordinal(message)):
        return Link(relation)
    if relation is Relation.RETURN and earlier:
        return Link(relation, earlier[_most_similar(similarities[1:])])
    return Link(Relation.CONTINUATION, current)


def without_topic_switch(question: str) -> str:
    """Return the question without an opening that announces a new topic, such as "something else:"."""
    return _TOPIC_SWITCH.sub("", question) or question


def cited_numbers(question: str) -> list[int]:
    """Return the citation numbers in the question, written as [2] or as "paper 2"."""
    return [int(match[1] or match[2]) for match in _CITATION_NUMBER.finditer(question)]


def ordinal(question: str) -> int:
    """Return the position that the question refers to by "the second one", from 1; -1 for the last, 0 for none."""
    match = _ORDINAL.search(question)
    return _ORDINALS[(match["which"] or match["pair"]).casefold()] if match else 0


def relation_features(vector: Vectors, message: str, similarities: Sequence[float], follows: float) -> Vectors:
    """Return the features of a message with the cosine of its vector to the current topic and to the earlier ones.

    `follows` is the probability that it follows up on something, by the message alone.
    """
    import numpy as np

    current, *earlier = similarities
    nearest = max(earlier, default=0.0)
    compared = [current, nearest, max(0.0, nearest - current), float(bool(earlier))]
    return np.concatenate([vector, np.array(compared, dtype=np.float32), form_features(message, follows)])


def form_features(message: str, follows: float) -> Vectors:
    """Return the features of a message without its vector; `follows` as for `relation_features`."""
    import numpy as np

    from assistant.question.form import form

    odds = _ODDS_SCALE * logistic.log_odds(follows)
    return np.concatenate([form(message), np.array([odds], dtype=np.float32)])


def follows_up(message: str, encoder: QuestionEncoder | None) -> float:
    """Return the probability that the message follows up on something, by itself. Raises ModelError."""
    return encoder.intents(message).get(Intent.FOLLOW_UP, _UNREAD) if encoder is not None else _UNREAD


def _topics(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns whose question was searched for as it stands; the first turn if there is none."""
    return [turn for turn in history if _stands_alone(turn)] or [history[0]]


def _current_topic(history: Sequence[Turn]) -> Turn:
    """Return the turn with the topic of the last turn, whose standalone text then begins with its own."""
    topics, standalone = _topics(history), history[-1].answer.standalone
    return next((topic for topic in reversed(topics) if standalone.startswith(topic.answer.standalone)), topics[-1])


def _stands_alone(turn: Turn) -> bool:
    answer = turn.answer
    return answer.standalone in " ".join((answer.read_as or answer.question).split())


def _announced(message: str) -> Relation | None:
    """Return the relation that the opening of the message announces, if it does."""
    if _TOPIC_SWITCH.match(message):
        return Relation.STANDALONE
    return Relation.RETURN if _TOPIC_RETURN.match(message) else None


def _relation(message: str, similarities: Sequence[float], encoder: QuestionEncoder | None) -> Relation:
    follows = follows_up(message, encoder)
    classifier = fitted.find(encoder) if encoder is not None else None
    if classifier is not None and encoder is not None:
        features = relation_features(encoder.encode(message).vector, message, similarities, follows)
        probabilities = classifier.probabilities(features)
    else:
        probabilities = fitted.packaged(FORM_WEIGHTS).probabilities(form_features(message, follows))
    return Relation(max(probabilities, key=probabilities.__getitem__))


def _similarities(message: str, current: Turn, earlier: Sequence[Turn], encoder: QuestionEncoder | None) -> list[float]:
    """Return the cosine of the message to the current topic and to each earlier one; none without an encoder."""
    if encoder is None:
        return []
    texts = [message, *(turn.answer.standalone for turn in (current, *earlier))]
    first, *others = (encoded.vector for encoded in encoder.encode_all(texts))
    return [float(first @ other) for other in others]


def _most_similar(similarities: Sequence[float]) -> int:
    """Return the index of the greatest; of the last where nothing is compared."""
    return max(range(len(similarities)), key=similarities.__getitem__) if similarities else -1

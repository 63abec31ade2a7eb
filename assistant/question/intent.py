"""Classify what a message wants: a question about research, a remark, an instruction, or nothing.

The message reader (`python -m eval.training.intents`) judges a message without the conversation before it. In doubt a
message counts as a question, and answerability decides whether the library answers it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assistant.question import filters
from assistant.schema import Query

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder

SMALL_TALK_REPLY = (
    "I answer questions from the abstracts of the research papers in this library, and quote the sentences behind each "
    "answer. Ask me, for instance, what is known about a method, how two approaches compare, or what a paper found."
)
ABOUT_REPLY = (
    "I search the abstracts of the research papers in this library for passages that answer a question, and cite each "
    "sentence that I take from them; where no abstract answers, I say so. What I can do beyond that, and how it is "
    "set, is in the documentation: start with `paperchat --help`, or with the other tabs of the page."
)
INSTRUCTION_REPLY = (
    "I only answer questions from the abstracts of the research papers in this library, with a citation for each "
    "statement. I cannot follow other instructions, and I do not make papers up."
)

OFF_TOPIC_REPLY = (
    "This does not look like a question that research papers answer. If it is one, name the method, the effect or the "
    "field that it is about."
)


class Intent(StrEnum):
    """What a message wants."""

    FACT = "fact"
    YES_NO = "yes_no"
    DEFINITION = "definition"
    COMPARISON = "comparison"
    LIST = "list"
    SUMMARY = "summary"
    CLAIM = "claim"
    METADATA = "metadata"
    FOLLOW_UP = "followup"
    OFF_TOPIC = "off_topic"
    META_ASSISTANT = "meta_assistant"
    CHITCHAT = "chitchat"
    INJECTION = "injection"
    NOISE = "noise"


# Answered from papers.
RESEARCH = frozenset(
    {
        Intent.FACT,
        Intent.YES_NO,
        Intent.DEFINITION,
        Intent.COMPARISON,
        Intent.LIST,
        Intent.SUMMARY,
        Intent.CLAIM,
        Intent.METADATA,
    }
)
# Answered from several papers.
SURVEY = (Intent.COMPARISON, Intent.LIST, Intent.SUMMARY)
# Answered from the abstracts of one paper, or of a few.
_SINGLE = (Intent.FACT, Intent.YES_NO, Intent.DEFINITION, Intent.CLAIM)
_REPLIES = {
    Intent.CHITCHAT: SMALL_TALK_REPLY,
    Intent.NOISE: SMALL_TALK_REPLY,
    Intent.META_ASSISTANT: ABOUT_REPLY,
    Intent.INJECTION: INSTRUCTION_REPLY,
    Intent.OFF_TOPIC: OFF_TOPIC_REPLY,
}
# The probability, of all intents with a reply together, from which a message gets one; chosen so that no question
# about research does (see docs/experiments.md).
_MIN_DECLINED = 0.91
# The share of surveys in the intents of research from which a message asks for one.
_MIN_SURVEY = 0.4
# The probability of all intents of research together below which a message is never answered firmly.
_MIN_RESEARCH = 0.5


@dataclass(frozen=True, slots=True)
class IntentPrediction:
    """The probability of each intent of a message; they sum to 1."""

    probabilities: Mapping[Intent, float]

    @property
    def intent(self) -> Intent:
        """Return the most likely intent."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def is_survey(self) -> bool:
        """Return whether the message asks what several papers say, rather than for a single fact."""
        return sum(map(self._form_share, SURVEY)) >= _MIN_SURVEY * self.share(RESEARCH)

    @property
    def asks_for(self) -> Intent:
        """Return the form of answer that the message asks for: the likeliest intent that abstracts can answer."""
        return max(SURVEY if self.is_survey else _SINGLE, key=self._form_share)

    def _form_share(self, form: Intent) -> float:
        """Return the probability of a form; a question about papers that the catalog does not answer wants a list."""
        return self.share((Intent.LIST, Intent.METADATA) if form is Intent.LIST else (form,))

    @property
    def doubt(self) -> str | None:
        """Return why the message, outside a conversation, may be no question that papers answer; None if it is one."""
        if self.share(RESEARCH) >= _MIN_RESEARCH:
            return None
        if self.intent is Intent.FOLLOW_UP:
            return "the question names nothing to look for"
        return "it may not be a question about research"

    @property
    def reply(self) -> str | None:
        """Return the fixed reply to a message that is no question; None for one to answer from papers."""
        if self.share(_REPLIES) < _MIN_DECLINED:
            return None
        return _REPLIES[max(_REPLIES, key=lambda intent: self.probabilities.get(intent, 0.0))]

    def share(self, intents: Collection[Intent]) -> float:
        """Return the probability that the message has one of the intents."""
        return sum(self.probabilities.get(intent, 0.0) for intent in intents)


# The prediction where nothing is known of the message.
QUESTION = IntentPrediction({Intent.FACT: 1.0})


def predict(text: str, encoder: QuestionEncoder) -> IntentPrediction:
    """Return the prediction for a text; QUESTION where no model reads messages. Raises ModelError."""
    probabilities = encoder.intents(text) if any(map(str.isalnum, text)) else {}
    return (
        IntentPrediction({Intent(name): share for name, share in probabilities.items()}) if probabilities else QUESTION
    )


def predict_message(query: Query, encoder: QuestionEncoder) -> IntentPrediction:
    """Return the prediction for the message as typed: one with filters of its own is a question. Raises ModelError."""
    return QUESTION if filters.parse(query.text).filters else predict(query.text, encoder)

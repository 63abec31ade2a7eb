"""Begin an answer: what is known of it before its text."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answering.answerability import Decision
from assistant.retrieval.search import Found
from assistant.schema import Answer, Recipe


@dataclass(frozen=True, slots=True)
class Origin:
    """What answers are made with: a model by its name, the hash of its prompts, and the recipe of the indexes."""

    model: str
    prompt: str | None
    recipe: Recipe | None


def draft(found: Found, decision: Decision, origin: Origin, top_k: int, retrieve_ms: float) -> Answer:
    """Return the answer without its text; the reply to a message that is no question is its text already.

    It shows `top_k` hits; `retrieve_ms` is the time from the question to the decision.
    """
    query = found.query
    return Answer(
        question=query.text,
        standalone=query.standalone,
        filters=query.filters,
        scope=query.scope,
        read_as=query.read_as,
        strength=decision.strength,
        confidence=decision.confidence,
        text=decision.reply or "",
        reason=decision.reason,
        hits=found.hits[:top_k],
        searched=found.searched,
        model=origin.model,
        prompt=origin.prompt,
        recipe=origin.recipe,
        intent=found.intents.intent if decision.reply else found.intents.asks_for,
        timings={**found.timings, "retrieve_ms": retrieve_ms},
        done=False,
    )

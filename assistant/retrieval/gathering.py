"""Search as widely as the form of the answer needs.

Further down for a list, by side for a comparison, and for a summary also for its topic in plain words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import Intent, IntentPrediction
from assistant.question.sides import Side, find_sides
from assistant.question.summary_topic import about, topic_in
from assistant.retrieval.search import Found
from assistant.schema import Query, Scope

# Returns the outcome of a search with at most so many hits; None is the number of the settings.
Search = Callable[[Query, int | None], Found]

# The most papers that a list is chosen from.
LISTED = 40
# Papers of a comparison: those of the whole question, and those of each side on its own.
_OF_QUESTION, _OF_SIDE = 10, 3


def gather(query: Query, intents: IntentPrediction, search: Search, encoder: QuestionEncoder) -> Found:
    """Return the outcome of a search for the question, with its intents. Raises as `search` does."""
    if intents.asks_for is Intent.LIST:
        return replace(search(query, LISTED), intents=intents)
    found = search(query, None)
    if intents.asks_for is Intent.SUMMARY:
        found = _on_topic(found, search)
    found = replace(found, intents=intents)
    sides = find_sides(query.standalone, found.terms, encoder) if intents.asks_for is Intent.COMPARISON else None
    return _with_sides(found, sides, search) if sides else found


def _on_topic(found: Found, search: Search) -> Found:
    """Return the outcome for the topic in plain words if papers come nearer to them than to the question's words."""
    topic = topic_in(found.query.standalone)
    plain = about(topic)
    if not topic or plain.casefold() == found.query.standalone.casefold():
        return found
    return max(found, search(replace(found.query, standalone=plain), None), key=_best_score)


def _best_score(found: Found) -> float:
    return max((hit.score for hit in found.hits), default=0.0)


def _with_sides(found: Found, sides: tuple[Side, ...], search: Search) -> Found:
    """Return the outcome with the papers that are nearest to each side, ranked by the whole question."""
    ids = [hit.paper.id for hit in found.hits[:_OF_QUESTION]]
    for side in sides:
        of_side = search(replace(found.query, text=side.text, standalone=side.text), _OF_SIDE)
        ids += [hit.paper.id for hit in of_side.hits]
    if len(set(ids)) == len(found.hits):
        return replace(found, sides=sides)
    union = replace(found.query, scope=Scope(tuple(dict.fromkeys(ids))))
    widened = search(union, len(set(ids)))
    return replace(widened, query=found.query, searched=found.searched, intents=found.intents, sides=sides)

"""Both sides of a claim to the JSON that scripts rely on. Names may be added to it, never changed or removed."""

from __future__ import annotations

from assistant.disagreement.sides import SidedSentence, Sides
from assistant.serialization import Json, paper_json, passage_json


def sides_json(sides: Sides) -> Json:
    """Return both sides as JSON."""
    return {
        "claim": sides.claim,
        "inversion": sides.inversion,
        "supports": [_sentence(sentence) for sentence in sides.supports],
        "contradicts": [_sentence(sentence) for sentence in sides.contradicts],
        "depends": [
            _sentence(sentence)
            | {"condition": sentence.condition, "side": "supports" if sentence.supports else "contradicts"}
            for sentence in sides.depends
        ],
        "note": sides.note,
        "question": sides.question or None,
    }


def _sentence(sentence: SidedSentence) -> Json:
    return {
        "paper": paper_json(sentence.paper),
        "passage": passage_json(sentence.passage),
        "probability": sentence.probability,
    }

"""The map of a library to the JSON that scripts rely on. Names may be added to it, never changed or removed."""

from __future__ import annotations

from assistant.serialization import Json, paper_json, passage_json
from assistant.topic_map.topics import Topic, TopicMap


def topic_map_json(topic_map: TopicMap) -> Json:
    """Return the map as JSON."""
    return {
        "papers": topic_map.papers,
        "notes": list(topic_map.notes),
        "topics": list(map(_topic, topic_map.topics)),
    }


def _topic(topic: Topic) -> Json:
    return {
        "id": topic.id,
        "label": topic.label,
        "terms": list(topic.terms),
        "papers": len(topic.paper_ids),
        "paper_ids": list(topic.paper_ids),
        "years": {str(year): count for year, count in topic.years.items()},
        "quotes": [
            {"paper": paper_json(quote.paper), "passage": passage_json(quote.passage)} for quote in topic.quotes
        ],
    }

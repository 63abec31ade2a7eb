"""The map of a library to the JSON that scripts rely on. Names may be added to it, never changed or removed."""

from __future__ import annotations

from assistant.serialization import Json, paper_json, passage_json
from assistant.topic_map.topics import MapPoint, Topic, TopicMap


def topic_map_json(topic_map: TopicMap) -> Json:
    """Return the map as JSON."""
    return {
        "papers": topic_map.papers,
        "notes": list(topic_map.notes),
        "topics": list(map(_topic, topic_map.topics)),
        "points": list(map(_point, topic_map.points)),
    }


def _point(point: MapPoint) -> Json:
    x, y = round(point.x, 4), round(point.y, 4)
    return {"paper_id": point.paper_id, "topic": point.topic_id, "year": point.year, "x": x, "y": y}


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

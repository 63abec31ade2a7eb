"""Map a library: its topics by its own terms, each with quotations and years."""

from assistant.topic_map.library_map import map_library
from assistant.topic_map.topics import MapPoint, Topic, TopicMap, TopicQuote

__all__ = ["MapPoint", "Topic", "TopicMap", "TopicQuote", "map_library"]

"""The topics that papers are on, as the library's map was drawn last: what the filter `topic:` reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from assistant.batches import batches
from assistant.errors import InputError
from assistant.storage.catalog_schema import paper_topics, topics
from assistant.storage.database import MAX_PARAMETERS, Database, lock_for_writing
from assistant.text.labels import similar_labels


class PaperTopics:
    """Reads and writes the topics of papers. Every method raises LibraryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def labels(self) -> dict[str, str]:
        """Return the label of every topic, by its id."""
        with self._database.reading() as connection:
            return dict(map(tuple, connection.execute(sa.select(topics.c.id, topics.c.label))))

    def require(self, topic_ids: Collection[str]) -> None:
        """Raise InputError where no topic has one of these ids."""
        if not topic_ids:
            return
        labels = self.labels()
        for topic_id in topic_ids:
            if topic_id not in labels:
                raise InputError("topic", f"there is no topic {topic_id!r}{similar_labels(topic_id, list(labels))}")

    def replace(self, labels: Mapping[str, str], of_papers: Mapping[str, str]) -> None:
        """Replace all topics by these: their labels, and the topic of each paper, by ids. Raises LibraryWriteError."""
        if labels == self.labels() and of_papers == self._of_papers():
            return
        with self._database.writing() as connection:
            lock_for_writing(connection)
            connection.execute(sa.delete(topics))
            connection.execute(sa.delete(paper_topics))
            rows = [{"paper_id": paper_id, "topic": topic} for paper_id, topic in of_papers.items()]
            for batch in batches(rows, MAX_PARAMETERS):
                connection.execute(sa.insert(paper_topics), batch)
            if labels:
                described = [{"id": topic_id, "label": label} for topic_id, label in labels.items()]
                connection.execute(sa.insert(topics), described)

    def _of_papers(self) -> dict[str, str]:
        query = sa.select(paper_topics.c.paper_id, paper_topics.c.topic)
        with self._database.reading() as connection:
            return dict(map(tuple, connection.execute(query)))

"""Map a library: its papers by topic, each topic with terms, quotations and years, and a place for each paper.

Only vectors, ids and years of all papers are in memory at once; texts are read of the most typical papers of a topic.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.encodings import mean_direction
from assistant.errors import LibraryWriteError
from assistant.schema import ALL_PAPERS, Selection
from assistant.topic_map.fitting import FILE, LEAST_PAPERS, KeptTopics, current_topics
from assistant.topic_map.topics import MappedPapers, MapPoint, Topic, TopicMap, describe_topics

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.storage.library import Library

logger = logging.getLogger(__name__)

# Papers whose vectors are read at a time, and the most that are shown as points.
_BATCH, MAX_POINTS = 2000, 1500


def map_library(library: Library, folder: Path, selection: Selection = ALL_PAPERS) -> TopicMap:
    """Return the map of the papers of a selection; the topics are those of the whole library, kept in the folder.

    The topic of each paper is noted in the catalog, where the filter `topic:` finds it. Raises LibraryError.
    """
    mapped = _indexed(library)
    if not mapped.years:
        return TopicMap((), 0, ("the library holds no indexed paper yet; add some with `paperchat ingest`",))
    kept = current_topics(mapped.vectors, folder / FILE, f"{library.recipe}")
    mapped = mapped.assigned(kept.centers)
    if selection:
        mapped = mapped.among(library.catalog.papers.years(selection))
    topics = describe_topics(mapped, kept.centers, kept.ids, library.catalog.papers.get)
    if not selection:
        _note_topics(library, topics)
    return TopicMap(topics, len(mapped.years), tuple(_notes(mapped.years)), _points(mapped, kept))


def _note_topics(library: Library, topics: Sequence[Topic]) -> None:
    """Note the topics in the catalog; a library that cannot be written to is mapped all the same."""
    of_papers = {paper_id: topic.id for topic in topics for paper_id in topic.paper_ids}
    try:
        library.catalog.topics.replace({topic.id: topic.label for topic in topics}, of_papers)
    except LibraryWriteError as error:
        logger.warning("the topics of papers cannot be noted: %s", error)


def _notes(years: Mapping[str, int | None]) -> Iterator[str]:
    if len(years) < LEAST_PAPERS:
        yield f"{len(years)} papers are too few to tell topics apart (at least {LEAST_PAPERS}); these are their terms"
    dated = sum(year is not None for year in years.values())
    if years and not dated:
        yield "no paper has a year, so nothing is shown by year"
    elif dated < len(years):
        yield f"{len(years) - dated} of {len(years)} papers have no year and are not counted by year"


def _indexed(library: Library) -> MappedPapers:
    """Return the years of the indexed papers in the order of their ids, and the mean vector of each, of length one."""
    import numpy as np

    years, store = library.catalog.papers.years(), library.fresh().store
    ids = list(years)
    indexed: list[str] = []
    vectors = np.zeros((0, 1), np.float32)
    for start in range(0, len(ids), _BATCH):
        by_id = store.vectors(ids[start : start + _BATCH])
        for paper_id in ids[start : start + _BATCH]:
            if paper_id in by_id:
                direction = mean_direction(by_id[paper_id])
                if not indexed:
                    vectors = np.zeros((len(ids), len(direction)), np.float32)
                vectors[len(indexed)] = direction
                indexed.append(paper_id)
    return MappedPapers({paper_id: years[paper_id] for paper_id in indexed}, vectors[: len(indexed)], ())


def _points(mapped: MappedPapers, kept: KeptTopics) -> tuple[MapPoint, ...]:
    """Return the positions of a sample of papers, which hardly changes when papers are added."""
    from assistant.topic_map.layout import place_papers

    ids = list(mapped.years)
    rows = sorted(range(len(ids)), key=lambda row: zlib.crc32(ids[row].encode()))[:MAX_POINTS]
    positions: Vectors = place_papers(mapped.vectors[rows], kept.centers, kept.positions) if rows else mapped.vectors
    return tuple(
        MapPoint(ids[row], kept.ids[mapped.labels[row]], mapped.years[ids[row]], float(x), float(y))
        for row, (x, y) in zip(rows, positions, strict=True)
    )


def topics_of(library: Library, folder: Path, vectors: Mapping[str, Vectors]) -> dict[str, tuple[str, float]]:
    """Return for papers, given by id with a vector of length one, the label of the nearest topic and its cosine.

    Raises LibraryError.
    """
    if not vectors:
        return {}
    mapped = _indexed(library)
    kept = current_topics(mapped.vectors, folder / FILE, f"{library.recipe}")
    topics = describe_topics(mapped.assigned(kept.centers), kept.centers, kept.ids, library.catalog.papers.get)
    labels = {topic.id: topic.label for topic in topics}
    topics_by_paper = {}
    for paper_id, vector in vectors.items():
        cosines = kept.centers @ vector
        best = int(cosines.argmax())
        topics_by_paper[paper_id] = (labels.get(kept.ids[best], ""), max(0.0, float(cosines[best])))
    return topics_by_paper

"""Map a library: cluster the vectors of its papers once, keep the topics, and fit them again when it has changed much.

New papers join the nearest kept topic, so that a map stays as it is while a library grows. A new fit gives a topic the
id of the kept one that it shares most papers with.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.schema import ALL_PAPERS, Paper, Selection
from assistant.topic_map.topics import TopicMap, describe_topics

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.storage.library import Library

FILE = "topics.json"
_FORMAT = 1
# A library with fewer papers is one topic; papers of a topic on average grow with the root of their number.
LEAST_PAPERS, _MAX_TOPICS = 30, 60
# Topics are fitted again when the papers have become more, or fewer, than by this factor.
_REFIT = 1.25
# The least share of papers, of both together, that a topic has in common with the kept one whose id it gets.
_SAME = 0.3
# Papers whose vectors are read at a time.
_BATCH = 2000


@dataclass(frozen=True, slots=True, eq=False)
class KeptTopics:
    """The topics of a fit: their ids, their centroids of shape (topics, dimension), and the number of papers fitted."""

    ids: tuple[str, ...]
    centers: Vectors
    papers: int
    next_id: int


def map_library(library: Library, folder: Path, selection: Selection = ALL_PAPERS) -> TopicMap:
    """Return the map of the papers of a selection; the topics are those of the whole library, kept in the folder.

    Raises LibraryError.
    """
    papers, vectors = _indexed(library)
    if not papers:
        return TopicMap((), 0, ("the library holds no indexed paper yet; add some with `paperchat ingest`",))
    kept = _topics(papers, vectors, folder / FILE, f"{library.recipe}")
    from assistant.topic_map.clustering import nearest

    if selection:
        chosen = {paper.id for paper in library.catalog.papers.all(selection)}
        rows = [row for row, paper in enumerate(papers) if paper.id in chosen]
        papers, vectors = [papers[row] for row in rows], vectors[rows]
    topics = describe_topics(papers, vectors, nearest(vectors, kept.centers), kept.centers, kept.ids) if papers else ()
    return TopicMap(topics, len(papers), tuple(_notes(papers)))


def _notes(papers: Sequence[Paper]) -> Iterator[str]:
    if len(papers) < LEAST_PAPERS:
        yield f"{len(papers)} papers are too few to tell topics apart (at least {LEAST_PAPERS}); these are their terms"
    dated = sum(paper.year is not None for paper in papers)
    if papers and not dated:
        yield "no paper has a year, so nothing is shown by year"
    elif dated < len(papers):
        yield f"{len(papers) - dated} of {len(papers)} papers have no year and are not counted by year"


def _indexed(library: Library) -> tuple[list[Paper], Vectors]:
    """Return the indexed papers by id, with the mean vector of each, of length one."""
    import numpy as np

    papers = sorted(library.catalog.papers.all(), key=lambda paper: paper.id)
    store, rows, found = library.fresh().store, [], []
    for start in range(0, len(papers), _BATCH):
        batch = papers[start : start + _BATCH]
        by_id = store.vectors([paper.id for paper in batch if paper.abstract])
        found += [paper for paper in batch if paper.id in by_id]
        rows += [by_id[paper.id].mean(axis=0) for paper in batch if paper.id in by_id]
    if not rows:
        return [], np.zeros((0, 1), np.float32)
    vectors = np.stack(rows).astype(np.float32)
    return found, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))


def _topics(papers: Sequence[Paper], vectors: Vectors, file: Path, recipe: str) -> KeptTopics:
    """Return the kept topics if they still fit, or new ones, which are kept from now on."""
    kept = _read(file, recipe)
    if kept and kept.papers / _REFIT <= len(papers) <= kept.papers * _REFIT:
        return kept
    fresh = fit_topics(vectors, kept)
    _write(fresh, file, recipe)
    return fresh


def fit_topics(vectors: Vectors, kept: KeptTopics | None = None) -> KeptTopics:
    """Return topics fitted to vectors of shape (papers, dimension), with the ids of kept ones that they continue."""
    from assistant.topic_map.clustering import centroids, nearest

    centers = centroids(vectors, topic_count(len(vectors)))
    labels = nearest(vectors, centers)
    earlier = nearest(vectors, kept.centers) if kept else []
    next_id = kept.next_id if kept else 1
    same = _continued(labels, earlier)
    ids = []
    for number in range(len(centers)):
        if kept and number in same:
            ids.append(kept.ids[same[number]])
        else:
            ids.append(f"t{next_id}")
            next_id += 1
    return KeptTopics(tuple(ids), centers, len(vectors), next_id)


def topic_count(papers: int) -> int:
    """Return how many topics so many papers are divided into."""
    return 1 if papers < LEAST_PAPERS else min(_MAX_TOPICS, max(2, round(math.sqrt(papers / 2))))


def _continued(labels: Sequence[int], earlier: Sequence[int]) -> dict[int, int]:
    """Return for each new topic the earlier one that it shares most papers with; each earlier one is used once."""
    together = Counter(zip(labels, earlier, strict=False))
    sizes, earlier_sizes = Counter(labels), Counter(earlier)
    shares = {(new, old): count / (sizes[new] + earlier_sizes[old] - count) for (new, old), count in together.items()}
    same: dict[int, int] = {}
    for new, old in sorted(shares, key=lambda pair: -shares[pair]):
        if shares[new, old] >= _SAME and new not in same and old not in same.values():
            same[new] = old
    return same


def _read(file: Path, recipe: str) -> KeptTopics | None:
    """Return the kept topics; None without any, for those of another recipe, and for a damaged file."""
    import numpy as np

    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if (content["format"], content["recipe"]) != (_FORMAT, recipe):
            return None
        centers = np.array(content["centers"], dtype=np.float32)
        ids = tuple(map(str, content["ids"]))
        return KeptTopics(ids, centers, int(content["papers"]), int(content["next_id"])) if len(ids) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(kept: KeptTopics, file: Path, recipe: str) -> None:
    content = {
        "format": _FORMAT,
        "recipe": recipe,
        "papers": kept.papers,
        "next_id": kept.next_id,
        "ids": kept.ids,
        "centers": [[round(float(value), 5) for value in center] for center in kept.centers],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps(content) + "\n", encoding="utf-8")
    part.replace(file)

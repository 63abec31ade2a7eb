"""Fit the topics of a library, and keep them in a file.

New papers join the nearest kept topic, so that a map stays as it is while a library grows. A new fit gives a topic the
id of the kept one that it shares most papers with, and a position near it.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.encodings import Vectors

logger = logging.getLogger(__name__)

FILE = "topics.json"
_FORMAT = 1
# A library with fewer papers is one topic; papers of a topic on average grow with the root of their number.
LEAST_PAPERS, _MAX_TOPICS = 30, 60
# Topics are fitted again when the papers have become more, or fewer, than by this factor.
_REFIT = 1.25
# The least share of papers, of both together, that a topic has in common with the kept one whose id it gets.
_SAME = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class KeptTopics:
    """The topics of a fit: their ids, and the number of papers fitted.

    `centers` are their centroids, shape (topics, dimension); `positions` are those on the map, shape (topics, 2).
    """

    ids: tuple[str, ...]
    centers: Vectors
    positions: Vectors
    papers: int
    next_id: int


def current_topics(vectors: Vectors, file: Path, recipe: str) -> KeptTopics:
    """Return the kept topics if they still fit vectors of shape (papers, dimension), or new ones, which are kept."""
    kept = _read(file, recipe)
    if kept and kept.papers / _REFIT <= len(vectors) <= kept.papers * _REFIT:
        return kept
    fresh = fit_topics(vectors, kept)
    try:
        _write(fresh, file, recipe)
    except OSError as error:
        logger.warning("the topics cannot be kept in %s: %s", file, error.strerror)
    return fresh


def fit_topics(vectors: Vectors, kept: KeptTopics | None = None) -> KeptTopics:
    """Return topics fitted to vectors of shape (papers, dimension), with the ids of kept ones that they continue."""
    from assistant.topic_map.clustering import centroids, nearest
    from assistant.topic_map.layout import place_topics

    centers = centroids(vectors, topic_count(len(vectors)))
    labels = nearest(vectors, centers)
    continued = _continued(labels, nearest(vectors, kept.centers)) if kept else {}
    next_id = kept.next_id if kept else 1
    ids = []
    for number in range(len(centers)):
        if kept and number in continued:
            ids.append(kept.ids[continued[number]])
        else:
            ids.append(f"t{next_id}")
            next_id += 1
    earlier = {new: tuple(kept.positions[old].tolist()) for new, old in continued.items()} if kept else {}
    return KeptTopics(tuple(ids), centers, place_topics(centers, earlier), len(vectors), next_id)


def topic_count(papers: int) -> int:
    """Return how many topics so many papers are divided into."""
    return 1 if papers < LEAST_PAPERS else min(_MAX_TOPICS, max(2, round(math.sqrt(papers / 2))))


def _continued(labels: Sequence[int], earlier: Sequence[int]) -> dict[int, int]:
    """Return for each new topic the earlier one that it shares most papers with; each earlier one is used once."""
    together = Counter(zip(labels, earlier, strict=True))
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

    from assistant.topic_map.layout import place_topics

    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if (content["format"], content["recipe"]) != (_FORMAT, recipe):
            return None
        ids = tuple(map(str, content["ids"]))
        centers = np.array(content["centers"], dtype=np.float32).reshape(len(ids), -1)
        # Files of the first version have no positions.
        kept = content.get("positions")
        positions = place_topics(centers, {}) if kept is None else np.array(kept, dtype=np.float32).reshape(len(ids), 2)
        return KeptTopics(ids, centers, positions, int(content["papers"]), int(content["next_id"])) if ids else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(kept: KeptTopics, file: Path, recipe: str) -> None:
    content = {
        "format": _FORMAT,
        "recipe": recipe,
        "papers": kept.papers,
        "next_id": kept.next_id,
        "ids": kept.ids,
        "centers": _rounded(kept.centers),
        "positions": _rounded(kept.positions),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps(content) + "\n", encoding="utf-8")
    part.replace(file)


def _rounded(rows: Vectors) -> list[list[float]]:
    return [[round(float(value), 5) for value in row] for row in rows]

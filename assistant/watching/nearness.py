"""Rank new papers by how near they are to the topics of the library and to the papers that a person has starred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.encodings import mean_direction
from assistant.schema import Filters, Paper, Selection
from assistant.storage.library import Library
from assistant.text.titles import display_title
from assistant.topic_map.library_map import topics_of
from assistant.watching.news import NewPaper

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The tag by which a person stars a paper.
STARRED = "starred"
# The cosine from which a paper belongs to a topic of the library; an unrelated one has about 0.1.
_OF_TOPIC = 0.25
# The weight of the nearest starred paper; the rest is that of the topic.
_STAR_WEIGHT = 0.5


def ranked(papers: Sequence[Paper], sources: Mapping[str, tuple[str, ...]], library: Library) -> list[NewPaper]:
    """Return new papers, those nearest to the library first; those without an abstract come last. Raises LibraryError.

    `sources` has the sources that brought each, by paper id.
    """
    stars = list(library.catalog.papers.all(Selection(Filters(tags=(STARRED,)))))
    new_ids = {paper.id for paper in papers}
    vectors = mean_vectors([*papers, *stars], library)
    stars = [star for star in stars if star.id not in new_ids and star.id in vectors]
    topics = topics_of(library, library.home, {paper.id: vectors[paper.id] for paper in papers if paper.id in vectors})
    rows = []
    for paper in papers:
        topic, topic_nearness = topics.get(paper.id, ("", 0.0))
        topic = topic if topic_nearness >= _OF_TOPIC else ""
        star, star_nearness = _nearest_star(paper, stars, vectors)
        nearness = _STAR_WEIGHT * star_nearness + (1 - _STAR_WEIGHT) * topic_nearness if stars else topic_nearness
        title = display_title(star) if star else ""
        brought = sources.get(paper.id, ())
        rows.append(NewPaper(paper, round(nearness, 4), topic, title, round(star_nearness, 4), brought))
    return sorted(rows, key=lambda row: (-row.nearness, row.paper.id))


def mean_vectors(papers: Sequence[Paper], library: Library) -> dict[str, Vectors]:
    """Return the mean vector of each indexed paper, shape (dimension,), of length one, by id."""
    by_id = library.fresh().store.vectors([paper.id for paper in papers if paper.abstract])
    return {paper_id: mean_direction(chunks) for paper_id, chunks in by_id.items()}


def _nearest_star(paper: Paper, stars: Sequence[Paper], vectors: Mapping[str, Vectors]) -> tuple[Paper | None, float]:
    if not stars or paper.id not in vectors:
        return None, 0.0
    cosines = [(max(0.0, float(vectors[paper.id] @ vectors[star.id])), star) for star in stars]
    cosine, star = max(cosines, key=lambda pair: pair[0])
    return star, cosine

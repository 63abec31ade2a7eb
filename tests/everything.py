"""Everything that a library holds, to be compared: two libraries are the same if this is."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.schema import Paper
from assistant.storage.library import Library


@dataclass(frozen=True)
class Everything:
    """Papers; chunk vectors, words and terms by paper. Scores of terms are left out: papers that are gone change them.

    `waiting` is whether something is still to be indexed or forgotten.
    """

    papers: list[Paper]
    vectors: dict[str, list[list[float]]]
    words: dict[str, tuple[bytes, bytes]]
    postings: dict[str, list[str]]
    waiting: bool


def everything(library: Library) -> Everything:
    """What the catalog and each index hold, asked of the indexes themselves."""
    papers = list(library.catalog.papers.all())
    vectors = library.store.vectors(library.store.paper_ids())
    words = library.words.get(library.words.paper_ids())
    terms = {term for paper in papers for term in library.lexicon.terms(f"{paper.title or ''} {paper.abstract}")}
    postings: dict[str, list[str]] = {paper_id: [] for paper_id in library.lexicon.paper_ids()}
    for term in sorted(terms):
        for found in library.lexicon.search(term, 10_000):
            postings[found.paper_id].append(term)
    return Everything(
        papers=papers,
        vectors={paper_id: matrix.round(4).tolist() for paper_id, matrix in sorted(vectors.items())},
        words={each: (found.starts.tobytes(), found.bits.tobytes()) for each, found in sorted(words.items())},
        postings=dict(sorted(postings.items())),
        waiting=bool(library.catalog.ledger.pending_count() or library.catalog.ledger.stale_ids()),
    )

"""Read the best hits of a search beside the question: which paper answers it, and by which of its sentences?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.encodings import PairReading
from assistant.protocols import PairReader
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found
from assistant.schema import Passage

# Hits that are read, and passages that represent a hit.
READ = 5
_PASSAGES = 3


def read(found: Found, reader: PairReader) -> Found:
    """Return the outcome of a search with the readings of its best hits, and the passages that answer best.

    Raises ModelError.
    """
    alignments = found.alignments[:READ]
    pairs = [(found.query.standalone, _sentences(aligned)) for aligned in alignments]
    readings = tuple(map(_without_title, reader.read(pairs), alignments))
    hits = [
        replace(hit, passages=_best_passages(aligned.passages, reading.answering))
        for hit, aligned, reading in zip(found.hits, alignments, readings, strict=False)
    ]
    return replace(found, hits=(*hits, *found.hits[len(hits) :]), readings=readings)


def _sentences(aligned: Alignment) -> list[str]:
    """Return what is read of a paper: its title, if it has one, and its sentences."""
    sentences = [passage.text for passage in aligned.passages]
    return [aligned.paper.title, *sentences] if aligned.paper.title else sentences


def _without_title(reading: PairReading, aligned: Alignment) -> PairReading:
    """Return the reading with a score for each passage, and none for the title."""
    first = len(reading.answering) - len(aligned.passages)
    return replace(reading, answering=reading.answering[first:], deciding=reading.deciding[first:])


def _best_passages(passages: Sequence[Passage], scores: Sequence[float]) -> tuple[Passage, ...]:
    """Return the passages with the highest scores, in the abstract's order."""
    best = sorted(range(len(passages)), key=lambda position: -scores[position])[:_PASSAGES]
    return tuple(passages[position] for position in sorted(best))

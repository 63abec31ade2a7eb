"""Read the best hits of a search beside the question: which paper answers it, and by which of its sentences?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.encodings import PairReading
from assistant.protocols import PairReader
from assistant.question.intent import Intent
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.search import Found
from assistant.schema import Passage

# Hits that are read: more where a question asks what several papers say, and for a list as many as there are while some
# answer. What more costs and finds is in docs/experiments.md.
READ = 3
_READ = {Intent.COMPARISON: 8, Intent.SUMMARY: 10, Intent.LIST: LISTED}
# A list ends behind so many papers in a row that answer with less than this probability.
_PATIENCE, _LEAST = 8, 0.1
# Sentences that are read of each hit, those most similar to the question, and passages that represent a hit.
_SENTENCES = 8
_PASSAGES = 3
# The score of a passage that was not read; the reader's own are probabilities.
NOT_READ = -1.0


def read(found: Found, reader: PairReader) -> Found:
    """Return the outcome of a search with the readings of its best hits, and the passages that answer best.

    Raises ModelError.
    """
    alignments = found.alignments[: _READ.get(found.intents.asks_for, READ)]
    chosen = [_most_similar(aligned) for aligned in alignments]
    pairs = [(found.query.standalone, _text(*shown)) for shown in zip(alignments, chosen, strict=True)]
    # No more is read than the loop asks for.
    readings = tuple(map(_of_passages, _while_answering(reader.read(pairs)), alignments, chosen))
    hits = [
        replace(hit, passages=_best_passages(aligned.passages, reading.answering))
        for hit, aligned, reading in zip(found.hits, alignments, readings, strict=False)
    ]
    return replace(found, hits=(*hits, *found.hits[len(hits) :]), readings=readings)


def _while_answering(readings: Iterator[PairReading]) -> Iterator[PairReading]:
    """Yield the readings up to the first long run of papers that do not answer."""
    unanswered = 0
    for reading in readings:
        yield reading
        unanswered = 0 if reading.answers >= _LEAST else unanswered + 1
        if unanswered == _PATIENCE:
            return


def _most_similar(aligned: Alignment) -> list[int]:
    """Return the positions of the passages that are read, in order."""
    best = sorted(range(len(aligned.passages)), key=lambda position: -aligned.maxsim[position])
    return sorted(best[:_SENTENCES])


def _text(aligned: Alignment, chosen: Sequence[int]) -> list[str]:
    """Return what is read of a paper: its title, if it has one, and the chosen sentences."""
    sentences = [aligned.passages[position].text for position in chosen]
    return [aligned.paper.title, *sentences] if aligned.paper.title else sentences


def _of_passages(reading: PairReading, aligned: Alignment, chosen: Sequence[int]) -> PairReading:
    """Return the reading with a score for each passage, NOT_READ for some, and none for the title."""
    first = len(reading.answering) - len(chosen)

    def spread(scores: Sequence[float]) -> tuple[float, ...]:
        of_chosen = dict(zip(chosen, scores[first:], strict=True))
        return tuple(of_chosen.get(position, NOT_READ) for position in range(len(aligned.passages)))

    return replace(reading, answering=spread(reading.answering), deciding=spread(reading.deciding))


def _best_passages(passages: Sequence[Passage], scores: Sequence[float]) -> tuple[Passage, ...]:
    """Return the passages with the highest scores, in the abstract's order."""
    best = sorted(range(len(passages)), key=lambda position: -scores[position])[:_PASSAGES]
    return tuple(passages[position] for position in sorted(best))

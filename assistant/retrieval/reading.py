"""Read the best hits of a search beside the question, and rank them by it: which answers, and by which sentences?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant import logistic
from assistant.encodings import PairReading
from assistant.logistic import LogisticModel
from assistant.protocols import PairReader
from assistant.question.intent import SURVEY, Intent
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.search import Found
from assistant.schema import Hit, Passage

# Hits that are read: some, and more of them where none of those seems to answer or where the question asks what several
# papers say; for a list as many as there are while some answer. What more costs and finds is in docs/experiments.md.
READ, READ_ON = 3, 10
# The probability of answering from which no more are read.
_ANSWERS_FROM = 0.5
# A list ends behind so many papers in a row that answer with less than this probability.
_PATIENCE, _LEAST = 8, 0.1
# The log-odds of answering that a hit has which was not read.
_UNREAD = -4.0
# Sentences that are read of each hit, those most similar to the question, and passages that represent a hit.
_SENTENCES = 8
_PASSAGES = 3
# The score of a passage that was not read; the reader's own are probabilities.
NOT_READ = -1.0


@dataclass(frozen=True, slots=True)
class RankFeatures:
    """The features of a hit for the probability that its paper answers the question.

    `dense`, `lexical` and `rerank` are its scores in the search, 0 where it has none; `answers` is the log-odds by the
    pair reader that the paper answers.
    """

    dense: float
    lexical: float
    rerank: float
    answers: float


# The model by which hits are ranked once they are read, fitted by `python -m eval calibrate`.
RANK = LogisticModel(-6.61, RankFeatures(dense=1.54, lexical=-0.05, rerank=14.69, answers=0.96))


def read(found: Found, reader: PairReader, rank: LogisticModel[RankFeatures] = RANK) -> Found:
    """Return the outcome of a search with the readings of its best hits, which rank them, and their best passages.

    Raises ModelError.
    """
    form = found.intents.asks_for
    alignments = found.alignments[: LISTED if form is Intent.LIST else READ_ON]
    chosen = [_most_similar(aligned) for aligned in alignments]
    pairs = [(found.query.standalone, _text(*shown)) for shown in zip(alignments, chosen, strict=True)]
    # No more is read than the loop asks for.
    readings = tuple(map(_of_passages, _until_done(reader.read(pairs), form), alignments, chosen))
    hits = [
        replace(hit, passages=_best_passages(aligned.passages, reading.answering))
        for hit, aligned, reading in zip(found.hits, alignments, readings, strict=False)
    ]
    return rank_hits(replace(found, hits=(*hits, *found.hits[len(hits) :]), readings=readings), rank)


def all_rank_features(found: Found) -> list[RankFeatures]:
    """Return the features of each hit, of which the first were read."""
    unread = [None] * (len(found.hits) - len(found.readings))
    return list(map(_rank_features, found.hits, [*found.readings, *unread]))


def _rank_features(hit: Hit, reading: PairReading | None) -> RankFeatures:
    return RankFeatures(
        dense=hit.scores.get("dense", 0.0),
        lexical=hit.scores.get("lexical", 0.0),
        rerank=hit.scores.get("rerank", 0.0),
        answers=logistic.log_odds(reading.answers) if reading else _UNREAD,
    )


def _until_done(readings: Iterator[PairReading], form: Intent) -> Iterator[PairReading]:
    """Yield the readings until enough papers answer, or for a list until a long run of papers does not."""
    best, unanswered = 0.0, 0
    for count, reading in enumerate(readings, start=1):
        yield reading
        best, unanswered = max(best, reading.answers), 0 if reading.answers >= _LEAST else unanswered + 1
        is_answered = count >= READ and best >= _ANSWERS_FROM and form not in SURVEY
        if is_answered or (form is Intent.LIST and unanswered == _PATIENCE):
            return


def rank_hits(found: Found, rank: LogisticModel[RankFeatures]) -> Found:
    """Return the outcome with the hits in the order of their probability; those that were not read come behind.

    That probability is the score of a hit, and its former score is in `scores` as `fused`.
    """
    count = len(found.readings)
    scores = [rank.probability(features) for features in all_rank_features(found)]
    order = sorted(range(count), key=lambda position: -scores[position])
    # What was not read is at most as likely as what was, so that scores fall down the list.
    least = min(scores[:count], default=1.0)
    scores[count:] = sorted((min(least, score) for score in scores[count:]), reverse=True)
    order += range(count, len(found.hits))
    return replace(
        found,
        hits=tuple(_rescored(found.hits[position], place, scores[position]) for place, position in enumerate(order, 1)),
        alignments=tuple(found.alignments[position] for position in order if position < len(found.alignments)),
        readings=tuple(found.readings[position] for position in order[:count]),
    )


def _rescored(hit: Hit, rank: int, score: float) -> Hit:
    return replace(hit, rank=rank, score=score, scores={"fused": hit.score, **hit.scores})


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

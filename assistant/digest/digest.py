"""Answer without a model: quote the passages that answer, word for word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.answering import evidence
from assistant.answering.answerability import abstain
from assistant.answering.calibration import PACKAGED, Calibration
from assistant.answering.evidence import Evidence
from assistant.citations import build_citations, cited_text, has_marker
from assistant.retrieval.search import Found
from assistant.schema import Answer, Hit, Passage, Sentence, Verdict

NAME = "extractive"
# The least ratio of a further passage's odds of answering to those of the best one: of a paper that is quoted already,
# or of any in a survey; and of another paper, which is the wrong one more often.
_SHARE_OF_BEST, _SHARE_OF_OTHER = 0.05, 0.2
# Two sentences whose sets of words overlap more than this (Jaccard) repeat each other.
_REPEAT = 0.5
# The most papers that are quoted.
_MAX_PAPERS = 4
# The most sentences of one paper where a question asks what several papers say.
_MAX_OF_ONE_PAPER = 2


def stream_digest(
    draft: Answer, retrieved: Found, max_sentences: int, calibration: Calibration = PACKAGED
) -> Iterator[Answer]:
    """Yield snapshots of the answer that grow by a quotation; the last is done. Abstain if nothing can be quoted."""
    candidates = evidence.select(retrieved, calibration)
    quoted = compose(candidates, max_sentences, is_survey=retrieved.intents.is_survey)
    if not quoted:
        yield abstain(draft, "no sentence found can be quoted")
    for count in range(1, len(quoted) + 1):
        yield _quoting(draft, quoted[:count], done=count == len(quoted))


def compose(candidates: Sequence[Evidence], max_sentences: int, *, is_survey: bool = False) -> list[Evidence]:
    """Return one to `max_sentences` passages that answer the question, grouped by paper, in each abstract's order.

    `candidates` come best first. A survey, a question that asks what several papers say, gets sentences of more of
    them. A sentence that contains a citation marker is not quoted: it would be read as a citation of this answer.
    """
    max_of_one = _MAX_OF_ONE_PAPER if is_survey else max_sentences
    chosen: list[Evidence] = []
    for candidate in candidates:
        if len(chosen) == max_sentences:
            break
        is_likely = _is_near_best(candidate, chosen, is_survey=is_survey)
        if is_likely and _is_new(candidate, chosen) and _has_room(candidate, chosen, max_of_one):
            chosen.append(candidate)
    order = list(dict.fromkeys(item.hit.paper.id for item in chosen))
    return sorted(chosen, key=lambda item: (order.index(item.hit.paper.id), item.passage.start))


def _quoting(draft: Answer, quoted: Sequence[Evidence], *, done: bool) -> Answer:
    """Return the draft with these quotations, papers numbered by first appearance."""
    hits = list({item.hit.paper.id: item.hit for item in quoted}.values())
    sentences = tuple(
        Sentence(item.passage.text, (hits.index(item.hit) + 1,), Verdict.SUPPORTED, 1.0) for item in quoted
    )
    return replace(
        draft,
        text=cited_text(sentences),
        sentences=sentences,
        citations=build_citations(hits, _passages_by_number(hits, quoted)),
        done=done,
    )


def _passages_by_number(hits: Sequence[Hit], quoted: Sequence[Evidence]) -> dict[int, list[Passage]]:
    return {number: [item.passage for item in quoted if item.hit is hit] for number, hit in enumerate(hits, start=1)}


def _is_near_best(candidate: Evidence, chosen: Sequence[Evidence], *, is_survey: bool) -> bool:
    """Return whether a passage is likely enough to answer beside those already chosen, the best first."""
    if not chosen:
        return True
    is_quoted = any(item.hit.paper.id == candidate.hit.paper.id for item in chosen)
    share = _SHARE_OF_BEST if is_quoted or is_survey else _SHARE_OF_OTHER
    return _odds(candidate) >= share * _odds(chosen[0])


def _is_new(candidate: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Return whether a passage can be quoted: it repeats none that is, and would not be read as a citation."""
    return not has_marker(candidate.passage.text) and not _repeats(candidate, chosen)


def _has_room(candidate: Evidence, chosen: Sequence[Evidence], max_of_one: int) -> bool:
    quoted = Counter(item.hit.paper.id for item in chosen)
    if candidate.hit.paper.id in quoted:
        return quoted[candidate.hit.paper.id] < max_of_one
    return len(quoted) < _MAX_PAPERS


def _odds(candidate: Evidence) -> float:
    return candidate.score / max(1.0 - candidate.score, 1e-9)


def _repeats(candidate: Evidence, chosen: Sequence[Evidence]) -> bool:
    words = _words(candidate)
    return any(len(words & _words(item)) > _REPEAT * len(words | _words(item)) for item in chosen)


def _words(candidate: Evidence) -> set[str]:
    return set(candidate.passage.text.casefold().split())

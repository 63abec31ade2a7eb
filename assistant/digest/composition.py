"""Choose the passages that an answer quotes: likely ones that can be understood alone, or with the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.answering.evidence import Evidence
from assistant.citations import has_marker
from assistant.digest import standalone
from assistant.digest.quoting import Quotation
from assistant.digest.standalone import Role
from assistant.logistic import odds
from assistant.schema import Passage
from assistant.text.titles import display_title

# Two sentences whose sets of words overlap more than this (Jaccard) repeat each other.
_REPEAT = 0.5
# The most passages that are shown before one that leans.
_MAX_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is quoted: at most so many sentences, papers, and passages that answer of one paper.

    `share_of_best` is the least ratio of a further passage's odds of answering to those of the best one where its paper
    is quoted already, `share_of_other` that for another paper, which is the wrong one more often.
    """

    sentences: int
    papers: int
    of_paper: int
    share_of_best: float
    share_of_other: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A passage with its odds of answering, and the passages that it leans on."""

    evidence: Evidence
    odds: float
    context: tuple[Passage, ...] = ()

    @property
    def paper_id(self) -> str:
        return self.evidence.hit.paper.id

    @property
    def passages(self) -> list[Passage]:
        return [*self.context, self.evidence.passage]


def compose(
    evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], limits: Limits
) -> list[Quotation]:
    """Return the passages to quote, grouped by paper, the paper with the best one first, in each abstract's order.

    `abstracts` has the passages of each paper by its id. A sentence that contains a citation marker is not quoted: it
    would be read as a citation of this answer. Where no passage stands alone the best is quoted all the same.
    """
    chosen: list[_Candidate] = []
    for candidate in _candidates(evidence, abstracts, limits):
        if _is_likely(candidate, chosen, limits) and _fits(candidate, chosen, limits):
            chosen.append(candidate)
    return _in_order(chosen)


def _candidates(
    evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], limits: Limits
) -> list[_Candidate]:
    """Return what can be quoted, the best first, with no more context than there is room for, if anything can.

    Where nothing can be understood alone or with its context, that is the best evidence itself.
    """
    quotable = [item for item in evidence if not has_marker(item.passage.text)]
    ranked = sorted(quotable, key=lambda item: -item.score)
    least_share = min(limits.share_of_best, limits.share_of_other)
    for max_context in (min(_MAX_CONTEXT, limits.sentences - 1), _MAX_CONTEXT):
        if candidates := _with_context(ranked, abstracts, max_context, least_share):
            return candidates
    return [_Candidate(item, odds(item.score)) for item in quotable[:1]]


def _with_context(
    ranked: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], max_context: int, least_share: float
) -> list[_Candidate]:
    """Return the candidates in order; what is too unlikely beside the best to be chosen is not classified."""
    candidates: list[_Candidate] = []
    for item in ranked:
        if candidates and odds(item.score) < least_share * candidates[0].odds:
            break
        if candidate := _candidate(item, abstracts[item.hit.paper.id], max_context):
            candidates.append(candidate)
    return candidates


def _candidate(item: Evidence, passages: Sequence[Passage], max_context: int) -> _Candidate | None:
    """Return the passage as a candidate; None where it is boilerplate, or leans on something that cannot be quoted."""
    position, title = passages.index(item.passage), display_title(item.hit.paper)
    if standalone.predict(item.passage.text, position, title).role is Role.BOILERPLATE:
        return None
    context = _context(passages, position, title, max_context)
    return None if context is None else _Candidate(item, odds(item.score), context)


def _context(passages: Sequence[Passage], position: int, title: str, max_context: int) -> tuple[Passage, ...] | None:
    """Return the passages to show before the one at a position: back to the nearest one that does not lean.

    None where that is too far, or cannot be quoted. Of the labelled sentences that lean, 83 % lean on the one before.
    """
    for start in range(position, max(-1, position - max_context - 1), -1):
        if start < position and has_marker(passages[start].text):
            return None
        if standalone.predict(passages[start].text, start, title).role is not Role.LEANS:
            return tuple(passages[start:position])
    return None


def _is_likely(candidate: _Candidate, chosen: Sequence[_Candidate], limits: Limits) -> bool:
    if not chosen:
        return True
    is_quoted = candidate.paper_id in {item.paper_id for item in chosen}
    share = limits.share_of_best if is_quoted else limits.share_of_other
    return candidate.odds >= share * chosen[0].odds


def _fits(candidate: _Candidate, chosen: Sequence[_Candidate], limits: Limits) -> bool:
    """Return whether there is room for a candidate, and whether it repeats nothing that is chosen."""
    quoted = Counter(item.paper_id for item in chosen)
    sentences = {(item.paper_id, passage) for item in [*chosen, candidate] for passage in item.passages}
    is_repeated = any(_repeats(candidate.evidence, item.evidence) for item in chosen)
    has_room = candidate.paper_id in quoted or len(quoted) < limits.papers
    return (
        not is_repeated
        and has_room
        and quoted[candidate.paper_id] < limits.of_paper
        and len(sentences) <= max(limits.sentences, len(candidate.passages) if not chosen else 0)
    )


def _in_order(chosen: Sequence[_Candidate]) -> list[Quotation]:
    order = list(dict.fromkeys(item.paper_id for item in chosen))
    answering = {(item.paper_id, item.evidence.passage): item.evidence for item in chosen}
    quotations = {
        (item.paper_id, passage): Quotation(
            item.evidence.hit, passage, is_context=(item.paper_id, passage) not in answering
        )
        for item in chosen
        for passage in item.passages
    }
    return sorted(
        quotations.values(), key=lambda quotation: (order.index(quotation.hit.paper.id), quotation.passage.start)
    )


def _repeats(first: Evidence, second: Evidence) -> bool:
    words, others = _words(first), _words(second)
    return len(words & others) > _REPEAT * len(words | others)


def _words(item: Evidence) -> set[str]:
    return set(item.passage.text.casefold().split())

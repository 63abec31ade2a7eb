"""The answerer without a model: it quotes the passages that answer, word for word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from assistant.citations import has_marker
from assistant.schema import Evidence, Query, Sentence, Verdict

NAME = "extractive"
# A further statement's odds of answering must be this good beside those of the best one.
_SHARE_OF_BEST = 0.01
# Two sentences whose sets of words overlap more (Jaccard) say the same.
_REPEAT = 0.5
# Papers that are quoted at most.
_PAPERS = 4
# Of one paper a question that several papers answer wants this many sentences at most, so that others have their say.
_OF_ONE_PAPER = 2
_SURVEY = re.compile(
    r"\b(?:papers|studies|works|articles|publications|literature|benchmarks|datasets|data sets|surveys?|overview)\b"
    r"|\b(?:compare|comparison|contrast|versus|vs|head to head|disagree|conflicting|both ways|pros and cons)\b"
    r"|\b(?:is there|are there|any|want|conflicting|what) evidence\b|^evidence\b"
    r"|\bwho (?:has|have)\b|\bhow do (?:people|researchers|authors|different)\b"
    r"|\b(?:which|what) (?:\w+ ){0,2}(?:methods|approaches|techniques|formulas|theories|explanations|models) "
    r"(?:are|exist|have|do|for|to)\b",
    re.IGNORECASE,
)


def compose(query: Query, evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    """One to `most` passages that answer the question, grouped by paper and in each abstract's own order.

    A question that several papers answer gets sentences of more of them. A sentence that holds something like a
    citation marker is not quoted: it would read as ours.
    """
    of_one = _OF_ONE_PAPER if wants_several(query) else most
    chosen: list[Evidence] = []
    for each in evidence:
        if len(chosen) < most and _is_good(each, chosen) and _has_room(each, chosen, of_one):
            chosen.append(each)
    order = list(dict.fromkeys(each.hit.paper.id for each in chosen))
    return sorted(chosen, key=lambda each: (order.index(each.hit.paper.id), each.passage.start))


def wants_several(query: Query) -> bool:
    """Whether the question asks what several papers say, rather than for a single fact."""
    return bool(_SURVEY.search(query.standalone))


def statements(chosen: Sequence[Evidence]) -> list[Sentence]:
    """The quotes as an answer's sentences, papers numbered by first appearance."""
    papers = list(dict.fromkeys(each.hit.paper.id for each in chosen))
    return [
        Sentence(each.passage.text, (papers.index(each.hit.paper.id) + 1,), Verdict.SUPPORTED, 1.0) for each in chosen
    ]


def text(sentences: Sequence[Sentence]) -> str:
    """The answer's text: a line for each statement, its citation behind it."""
    return "\n".join(f"{each.text} {''.join(f'[{number}]' for number in each.citations)}" for each in sentences)


def _is_good(each: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether it is worth quoting beside what is chosen already, of which the first is the best."""
    near_best = not chosen or _odds(each) >= _SHARE_OF_BEST * _odds(chosen[0])
    return near_best and not has_marker(each.passage.text) and not _repeats(each, chosen)


def _has_room(each: Evidence, chosen: Sequence[Evidence], of_one: int) -> bool:
    held = Counter(other.hit.paper.id for other in chosen)
    if each.hit.paper.id in held:
        return held[each.hit.paper.id] < of_one
    return len(held) < _PAPERS


def _odds(each: Evidence) -> float:
    return each.score / max(1.0 - each.score, 1e-9)


def _repeats(each: Evidence, chosen: Sequence[Evidence]) -> bool:
    words = _words(each)
    return any(len(words & _words(other)) > _REPEAT * len(words | _words(other)) for other in chosen)


def _words(each: Evidence) -> set[str]:
    return set(each.passage.text.casefold().split())

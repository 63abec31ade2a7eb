"""The answerer without a model: it quotes the passages that answer, word for word."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.citations import has_marker
from assistant.schema import Evidence, Sentence, Verdict

NAME = "extractive"
# A further statement must be this good beside the best one.
_SHARE_OF_BEST = 0.75
# Two sentences whose sets of words overlap more (Jaccard) say the same.
_REPEAT = 0.5


def compose(evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    """One to `most` passages that answer the question, grouped by paper and in each abstract's own order.

    A sentence that holds something like a citation marker is not quoted: it would read as ours.
    """
    chosen: list[Evidence] = []
    for each in evidence:
        good = not chosen or each.score >= _SHARE_OF_BEST * chosen[0].score
        if good and len(chosen) < most and not has_marker(each.passage.text) and not _repeats(each, chosen):
            chosen.append(each)
    papers = list(dict.fromkeys(each.hit.paper.id for each in chosen))
    return sorted(chosen, key=lambda each: (papers.index(each.hit.paper.id), each.passage.start))


def statements(chosen: Sequence[Evidence]) -> list[Sentence]:
    """The quotes as an answer's sentences, papers numbered by first appearance."""
    papers = list(dict.fromkeys(each.hit.paper.id for each in chosen))
    return [
        Sentence(each.passage.text, (papers.index(each.hit.paper.id) + 1,), Verdict.SUPPORTED, 1.0) for each in chosen
    ]


def text(sentences: Sequence[Sentence]) -> str:
    """The answer's text: a line for each statement, its citation behind it."""
    return "\n".join(f"{each.text} {''.join(f'[{number}]' for number in each.citations)}" for each in sentences)


def _repeats(each: Evidence, chosen: Sequence[Evidence]) -> bool:
    words = _words(each)
    return any(len(words & _words(other)) > _REPEAT * len(words | _words(other)) for other in chosen)


def _words(each: Evidence) -> set[str]:
    return set(each.passage.text.casefold().split())

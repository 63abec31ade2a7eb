"""The measure of the abstracts that a language model is shown."""

from __future__ import annotations

from assistant.schema import Answer, Hit, Paper, Strength
from eval.training.shown import ShownPapers, count_shown


def test_relevant_papers_are_counted_among_the_hits_and_among_those_shown() -> None:
    hits = tuple(
        Hit(rank, score, Paper(f"p{rank}", "An abstract."))
        for rank, score in enumerate([0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], start=1)
    )
    answer = Answer("q", "q", Strength.FIRM, 0.9, "", hits=hits, intent="fact")
    relevant = frozenset({"p1", "p4", "p7"})
    assert count_shown(answer, relevant, 0.7) == ShownPapers(relevant=3, relevant_shown=1, shown=2)
    assert count_shown(answer, relevant, 0.0) == ShownPapers(relevant=3, relevant_shown=2, shown=6)

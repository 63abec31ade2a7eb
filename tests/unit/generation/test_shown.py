"""The abstracts that a language model is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.chat import Assistant
from assistant.generation.shown import select_shown
from assistant.protocols import LLM
from assistant.schema import Hit, Paper
from tests.fakes import ScriptedLLM


def hits(*scores: float) -> list[Hit]:
    return [Hit(rank, score, Paper(f"p{rank}", "An abstract.")) for rank, score in enumerate(scores, start=1)]


def shown(*scores: float, intent: str = "fact") -> list[str]:
    return [hit.paper.id for hit in select_shown(hits(*scores), intent)]


def test_abstracts_far_behind_the_best_are_not_shown() -> None:
    assert shown(0.8, 0.7, 0.57, 0.55, 0.2) == ["p1", "p2", "p3"]


@pytest.mark.parametrize("best", [0.0, 0.01, 1.0])
def test_the_best_abstract_is_always_shown(best: float) -> None:
    assert shown(best)[0] == "p1"


def test_without_hits_nothing_is_shown() -> None:
    assert shown() == []


@pytest.mark.parametrize(("intent", "most"), [("fact", 6), ("", 6), ("list", 10), ("comparison", 10), ("summary", 10)])
def test_more_are_shown_where_several_papers_are_asked_for(intent: str, most: int) -> None:
    assert len(shown(*[0.5] * 20, intent=intent)) == most


def test_an_abstract_on_another_topic_reaches_no_model(assistant_with: Callable[[LLM], Assistant]) -> None:
    llm = ScriptedLLM("Small glaciers shrink the fastest [1]. Bees dance [2].")
    answer = assistant_with(llm).ask("Which glaciers shrink the fastest?")
    content = llm.requests[0][-1].content
    assert "Small glaciers" in content
    assert "Sourdough" not in content
    assert len(answer.hits) == 3
    assert answer.dropped == 1

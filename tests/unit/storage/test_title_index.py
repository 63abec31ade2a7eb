"""Papers are found by words of their titles, in any order, and with typing errors."""

from __future__ import annotations

import re

import pytest

from assistant.storage.title_index import TitleIndex, name_matches

TITLES = {
    "goedel": "Goedel-Prover: A Frontier Model for Theorem Proving",
    "scaling": "Scaling Laws for Reward Model Overoptimization",
    "dpo": "Direct Preference Optimization: Your Model Is a Reward Model",
    "shift": "DPO-Shift: Shifting the Distribution",
    "tides": "Tides of the Sea",
}


def analyze(text: str) -> list[str]:
    stopped = {"a", "the", "of", "for", "is", "your"}
    return [word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in stopped]


@pytest.fixture
def index() -> TitleIndex:
    return TitleIndex(TITLES.items(), analyze)


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("goedel prover", "goedel"),
        ("GOEDELPROVER", "goedel"),
        ("geodel provr", "goedel"),
        ("overoptimisation of reward", "scaling"),
        ("over-optimization", "scaling"),
        ("DPO", "dpo"),
        ("sea tides", "tides"),
    ],
)
def test_the_paper_that_the_words_name_comes_first(index: TitleIndex, text: str, best: str) -> None:
    first, *_ = index.search(text, 5)
    assert first.paper_id == best
    assert first.coverage == pytest.approx(1.0)


def test_words_that_no_title_has_lower_the_coverage(index: TitleIndex) -> None:
    (first, *_) = index.search("tides of saturn", 5)
    assert first.paper_id == "tides"
    assert first.coverage < 0.6


@pytest.mark.parametrize("text", ["", "?", "of the", "zebra"])
def test_a_text_without_words_of_titles_finds_nothing(index: TitleIndex, text: str) -> None:
    assert index.search(text, 5) == []


def test_an_index_without_titles_finds_nothing() -> None:
    assert TitleIndex([], analyze).search("tides", 5) == []


def test_names_with_a_typing_error_are_similar_and_others_are_not() -> None:
    names = {"Danqi Chen": 1, "Sanjeev Arora": 2}
    assert name_matches("danqui chen", names, 3) == ["Danqi Chen"]
    assert name_matches("Geoffrey Hinton", names, 3) == []

"""How a paper is called."""

from __future__ import annotations

from assistant.schema import Paper
from assistant.text.titles import display_title

ABSTRACT = "Older bees dance longer than others. " * 10


def test_a_paper_is_called_by_its_title() -> None:
    assert display_title(Paper("id", ABSTRACT, "On bees")) == "On bees"


def test_a_paper_without_title_is_called_by_the_first_words_of_its_abstract() -> None:
    assert display_title(Paper("id", "Bees dance.")) == "Bees dance."
    long = display_title(Paper("id", ABSTRACT))
    assert long.endswith(" ...")
    assert len(long) <= 104
    assert ABSTRACT.startswith(long.removesuffix(" ...") + " ")

"""How a paper is called."""

from __future__ import annotations

from assistant.schema import Paper
from assistant.text.titles import display_title, short_authors

ABSTRACT = "Older bees dance longer than others. " * 10


def test_a_paper_is_called_by_its_title() -> None:
    assert display_title(Paper("id", ABSTRACT, "On bees")) == "On bees"


def test_a_paper_without_title_is_called_by_the_first_words_of_its_abstract() -> None:
    assert display_title(Paper("id", "Bees dance.")) == "Bees dance."
    long = display_title(Paper("id", ABSTRACT))
    assert long.endswith(" ...")
    assert len(long) <= 104
    assert ABSTRACT.startswith(long.removesuffix(" ...") + " ")


def test_authors_are_named_as_in_a_citation() -> None:
    assert short_authors(()) == ""
    assert short_authors(("K. Frisch",)) == "K. Frisch"
    assert short_authors(("K. Frisch", "M. Lindauer")) == "K. Frisch and M. Lindauer"
    assert short_authors(("K. Frisch", "M. Lindauer", "T. Seeley")) == "K. Frisch et al."

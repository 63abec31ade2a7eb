"""What refers to a paper within a sentence, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given

from assistant.citations import mask_references
from assistant.schema import Paper
from tests.strategies import PAPERS, TEXT

PAPER = Paper("a", "Bees.", "On the waggle dance", ("Karl Lin", "Müller, Ada", "J. de Vries"), 2021, "Nature Bees")
OTHER = Paper("b", "Ice.", "Ice", ("Bo Chen",), 2019)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Lin et al. show that bees dance.", "show that bees dance."),
        ("Lin and Müller (2021) show that bees dance.", "show that bees dance."),
        ("Lin, Muller, and de Vries show it.", "show it."),
        ("Karl Lin and colleagues show it.", "show it."),
        ("K. Lin's work shows it.", "work shows it."),
        ("In 2021, Lin et al. showed it.", "showed it."),
        ("As Vries (2021a) shows, bees dance.", "As shows, bees dance."),
        ("Bees dance (Lin et al., 2021).", "Bees dance ( )."),
        ("Bees dance (2021).", "Bees dance ."),
        ("Their paper in Nature Bees 2021 shows it.", "Their paper in shows it."),
        ("The paper “On the Waggle Dance” shows it.", "The paper “ ” shows it."),
        ("Lin et al. and Chen (2019) show it.", "and show it."),
    ],
)
def test_references_to_the_papers_are_blank(text: str, left: str) -> None:
    masked = mask_references(text, [PAPER, OTHER])
    assert len(masked) == len(text)
    assert masked.split() == left.split()


@pytest.mark.parametrize(
    "text",
    [
        "Smith et al. show that bees dance.",
        "Bees dance since 2021.",
        "In 2021, bees danced.",
        "The linear dance of Linus.",
        "Karl dances.",
        "By nature bees dance.",
        "Bees dance on ice.",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert mask_references(text, [PAPER, OTHER]) == text


@given(TEXT, PAPERS)
def test_the_length_stays_and_nothing_is_added(text: str, paper: Paper) -> None:
    masked = mask_references(f"{text} {paper.title} {paper.authors} {text}", [paper])
    plain = f"{text} {paper.title} {paper.authors} {text}"
    assert len(masked) == len(plain)
    assert all(new in (old, " ") for new, old in zip(masked, plain, strict=True))

"""The measure of living answers: what counts as announced, and what as noise."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.schema import Answer, Paper, Strength
from assistant.watching.living_answers import AnnouncingThresholds
from assistant.watching.news import BearingPaper
from eval.training import announcing
from eval.watch import Announcement, WatchedQuestion, figures, year_of


@pytest.mark.parametrize(
    ("paper_id", "year"),
    [("arxiv:1902.06554", 2019), ("arxiv:cmp-lg/9508007", 1995), ("arxiv:cs.CL/0309136", 2003), ("19444061", None)],
)
def test_the_year_is_that_of_the_arxiv_id(paper_id: str, year: int | None) -> None:
    assert year_of(paper_id) == year


def announced(
    kind: str,
    level: str,
    *papers: str,
    probability: float = 0.5,
    is_cited: bool = False,
    denials: tuple[float, ...] = (),
) -> Announcement:
    """Return what was announced about a question that was written about the paper `gold`."""
    bearing = tuple(BearingPaper(Paper(name, "Bees."), None, probability, is_cited) for name in papers)
    kept = Answer("How?", "How?", Strength.NONE, 0.0, "")
    return Announcement(WatchedQuestion(kind, level, "How?", "gold"), kept, bearing, denials)


def test_only_the_abstract_that_a_question_was_written_about_is_right() -> None:
    measured = figures(
        [
            announced("awaited", "easy", "gold", "other", denials=(0.9, 0.1)),
            announced("awaited", "hard"),
            announced("awaited", "hard", "other"),
            announced("answered", "easy", "other"),
            announced("answered", "easy"),
            announced("near", "", "gold"),
            announced("near", "", "other"),
        ],
        AnnouncingThresholds(contradicts=0.9),
    )
    assert measured["announced"] == round(1 / 3, 3)
    assert measured["announced_by_level"] == {"easy": 1.0, "hard": 0.0}
    assert (measured["answered_with_noise"], measured["near_with_their_paper"]) == (0.5, 0.5)
    assert (measured["announcements"], measured["right_paper_share"]) == (6, round(1 / 6, 3))
    assert measured["said_to_contradict"] == 1


def test_the_thresholds_are_the_highest_that_separate_awaited_answers_from_near_misses() -> None:
    candidates = [
        announced("awaited", "easy", "gold", probability=0.62),
        announced("awaited", "hard", "gold", probability=0.31, is_cited=True),
        announced("near", "", "gold", probability=0.42),
        announced("near", "", "gold", probability=0.12, is_cited=True),
        announced("answered", "easy", "other", probability=0.1),
    ]
    chosen = announcing.choose_bearing(candidates)
    assert (chosen.bears, chosen.cited_bears) == (0.6, 0.3)
    kept = [announcing.at_thresholds(item, chosen) for item in candidates]
    assert [bool(item.papers) for item in kept] == [True, True, False, False, False]


def test_quiet_thresholds_are_preferred_to_ones_that_announce_what_was_answered_before() -> None:
    loud = [announced("answered", "easy", "other", probability=0.62) for _ in range(10)]
    candidates = [*loud, announced("awaited", "easy", "gold", probability=0.52), announced("near", "", "other")]
    assert announcing.choose_bearing(candidates).bears > 0.6


@pytest.mark.parametrize(
    ("denied", "supporting", "threshold"),
    [
        ((0.1,) * 100, (), 0.15),
        ((0.1,) * 99 + (0.7,), (), 0.15),
        ((0.7,) * 3, (), 0.75),
        ((0.1,) * 100, (0.0,) * 99 + (0.9,), 0.15),
        ((0.1,) * 100, (0.0,) * 98 + (0.6, 0.9), 0.65),
    ],
)
def test_few_announced_papers_and_few_that_support_a_claim_may_be_said_to_contradict(
    denied: tuple[float, ...], supporting: tuple[float, ...], threshold: float
) -> None:
    announcements = [announced("awaited", "easy", "gold", denials=denied)]
    claims = announcing.ReadDenials(contradicting=(0.8,), supporting=supporting)
    assert announcing.choose_contradicts(announcements, claims) == threshold


def test_the_shares_of_contradictions_that_are_noticed_are_told_of_both_kinds_of_papers() -> None:
    read = announcing.ReadDenials(contradicting=(0.9, 0.6, 0.0), supporting=(0.7, 0.0))
    assert read.noticed(0.65) == {"contradicting": 0.333, "supporting": 0.5}


def test_the_command_measures_one_part(evaluate: Callable[..., Any], tmp_path: Path) -> None:
    """Two annotated abstracts, one of before and one that arrives, and two of the collection."""
    sentences = ["Honey bees communicate flowers by a waggle dance.", "We decode dances with a network."]
    question = {"text": "How do honey bees communicate flowers?", "level": "easy", "sentences": [0]}
    row = {"abstract": " ".join(sentences), "sentences": sentences, "split": "dev", "questions": [question] * 4}
    rows = [row | {"id": f"arxiv:{n}.00001", "title": f"T {n}", "near_misses": ["How old do bees get?"], "claims": []}
            for n in (1501, 1901)]  # fmt: skip
    papers = [{"id": f"arxiv:{y}05.1", "title": "Ice", "abstract": f"Ice {y}.", "authors": [], "year": 2000 + y}
              for y in (15, 19) for _ in range(40)]  # fmt: skip
    for name, lines in (("judge/annotated", rows), ("ml_arxiv_2019/corpus", papers)):
        file = tmp_path / f"{name}.jsonl.gz"
        file.parent.mkdir()
        file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    run = evaluate("watch", "--data", tmp_path, "--json")
    assert run.code == 0, run.err
    assert run.json["questions"] == {"awaited": 4, "answered": 4, "near": 1}
    assert run.json["part"] == "dev"
    assert evaluate("watch", "--data", tmp_path / "none").code == 1

"""The measure of living answers: what counts as announced, and what as noise."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.watch import Announcement, WatchedQuestion, figures, year_of


@pytest.mark.parametrize(
    ("paper_id", "year"),
    [("arxiv:1902.06554", 2019), ("arxiv:cmp-lg/9508007", 1995), ("arxiv:cs.CL/0309136", 2003), ("19444061", None)],
)
def test_the_year_is_that_of_the_arxiv_id(paper_id: str, year: int | None) -> None:
    assert year_of(paper_id) == year


def test_only_the_abstract_that_a_question_was_written_about_is_right() -> None:
    def announced(kind: str, level: str, *papers: str, contradicting: int = 0) -> Announcement:
        return Announcement(WatchedQuestion(kind, level, "How?", "gold"), "none", papers, contradicting)

    measured = figures(
        [
            announced("awaited", "easy", "gold", "other", contradicting=1),
            announced("awaited", "hard"),
            announced("awaited", "hard", "other"),
            announced("answered", "easy", "other"),
            announced("answered", "easy"),
            announced("near", "", "gold"),
            announced("near", "", "other"),
        ]
    )
    assert measured["announced"] == round(1 / 3, 3)
    assert measured["announced_by_level"] == {"easy": 1.0, "hard": 0.0}
    assert (measured["answered_with_noise"], measured["near_with_their_paper"]) == (0.5, 0.5)
    assert (measured["announcements"], measured["right_paper_share"]) == (6, round(1 / 6, 3))
    assert measured["said_to_contradict"] == 1


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
    assert run.json["questions"] == {"awaited": 4, "answered": 1, "near": 1}
    assert run.json["part"] == "dev"
    assert evaluate("watch", "--data", tmp_path / "none").code == 1

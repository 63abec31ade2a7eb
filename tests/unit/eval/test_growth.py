"""How indexes grow: every figure is measured at every size, and the curves that fit them are right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from eval.bench import growth, synthetic
from eval.bench.growth_curves import fit_all, fit_power
from eval.corpora import ML_ARXIV
from tests.conftest import Run
from tests.evaluation import PAPERS, write


@pytest.fixture
def abstracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three papers in the place of the large collection."""
    (tmp_path / ML_ARXIV).mkdir()
    write(tmp_path / ML_ARXIV / "corpus.jsonl", map(asdict, PAPERS))
    monkeypatch.setattr(growth, "DATA", tmp_path)


@pytest.mark.usefixtures("abstracts")
def test_every_index_is_measured_at_every_size(evaluate: Callable[..., Run], tmp_path: Path) -> None:
    sizes = ("--size", "20", "--size", "40", "--size", "80")
    done = evaluate("growth", "--folder", tmp_path / "grown", *sizes, "--shards", "2", "--json").json
    stored = json.loads((tmp_path / "grown" / "growth.json").read_text())
    assert stored == {name: done[name] for name in stored}
    vectors = done["figures"]["vectors, shards: 2"]
    assert vectors.keys() == {"20 papers", "40 papers", "80 papers"}
    for figures in vectors.values():
        assert figures["recall"] == 1.0  # so few are compared one by one
        assert 0 < figures["query_ms"]["p50"] <= figures["query_ms"]["p95"]
        assert min(figures[name] for name in ("s_per_1000_papers", "s_to_open", "disk_bytes_per_paper")) > 0
    assert len(done["by beam"]["vectors, shards: 2"]) == 4
    for index in (growth.LEXICON, growth.WORDS):
        assert done["figures"][index].keys() == vectors.keys()
        assert done["figures"][index]["80 papers"]["disk_bytes_per_paper"] > 0
        assert done["curves"][index]["query_ms"].keys() > {"exponent"}


def test_the_nearest_neighbours_are_those_of_all_vectors_in_whatever_batches_they_come() -> None:
    random = np.random.default_rng(0)
    vectors, questions = (random.standard_normal((rows, 4), dtype=np.float32) for rows in (50, 3))
    nearest = synthetic.ExactNeighbours(questions, 7)
    for start in range(0, 50, 8):
        nearest.add(range(start, min(50, start + 8)), vectors[start : start + 8])
    expected = np.argsort(-(questions @ vectors.T), axis=1)[:, :7]
    assert nearest.ids() == [{synthetic.paper_id(number) for number in row} for row in expected]


def test_made_papers_begin_with_the_real_ones_and_then_have_other_words() -> None:
    papers = synthetic.NoisyPapers(PAPERS)(range(6))
    assert [paper.abstract for paper in papers[:3]] == [paper.abstract for paper in PAPERS]
    assert all(made.abstract != real.abstract for made, real in zip(papers[3:], PAPERS, strict=True))
    assert len({paper.id for paper in papers}) == 6


def test_a_power_is_found_again() -> None:
    sizes = [10, 100, 1000]
    assert fit_power(sizes, [3 * size**0.5 for size in sizes]) == pytest.approx((3, 0.5))
    figures = {"part": {size: {"ms": {"p50": 2.0 * size, "p95": 0.0}, "zero": 0.0} for size in sizes}}
    (curve,) = fit_all(figures, [10_000])["part"].values()
    assert curve == pytest.approx({"exponent": 1.0, "10,000 papers": 20_000.0})

"""What the parts of a library cost: every part is measured, at every size that is at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from assistant.storage.chroma_collection import stored_recipe
from assistant.storage.chroma_location import ChromaServer
from eval.bench import scale
from eval.corpora import ML_ARXIV
from eval.suites.disagreement import SCIFACT
from tests.chromas import ChromaProcess
from tests.conftest import Run
from tests.evaluation import PAPERS, write

WRITTEN = {scale.EMBEDDER, scale.CATALOG, scale.FOLDER, scale.LEXICON, scale.WORDS}


@pytest.fixture
def collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two collections of three papers, one of them in the place of the large one."""
    for name in (SCIFACT, ML_ARXIV):
        (tmp_path / "data" / name).mkdir(parents=True)
        write(tmp_path / "data" / name / "corpus.jsonl", map(asdict, PAPERS))
    monkeypatch.setattr(scale, "DATA", tmp_path / "data")
    monkeypatch.setattr(scale, "SEED_FILES", tmp_path / "data" / SCIFACT / "corpus.jsonl")


@pytest.mark.usefixtures("collections")
def test_every_part_has_its_costs_and_all_but_the_embedder_takes_room(evaluate: Callable[..., Run]) -> None:
    figures = evaluate("scale", "--json").json["sizes"]["3 papers"]
    assert figures.keys() == WRITTEN
    for part, costs in figures.items():
        assert costs["s_per_1000_papers"] > 0
        assert 0 < costs["query_ms"]["p50"] <= costs["query_ms"]["p95"]
        assert ("bytes_per_paper" in costs) == (part != scale.EMBEDDER)
    assert figures[scale.FOLDER]["filtered_query_ms"]["p50"] > 0


@pytest.mark.usefixtures("collections")
def test_a_server_is_measured_beside_a_folder_and_keeps_nothing(
    evaluate: Callable[..., Run], chroma_server: ChromaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiped: list[ChromaServer] = []
    wipe = ChromaServer.wipe

    def noted(place: ChromaServer) -> None:
        wipe(place)
        wiped.append(place)

    monkeypatch.setattr(ChromaServer, "wipe", noted)
    monkeypatch.setenv("PAPERCHAT_STORE", chroma_server.address)
    figures = evaluate("scale", "--json").json["sizes"]["3 papers"]
    assert figures.keys() == WRITTEN | {scale.SERVER}
    assert figures[scale.SERVER]["query_ms"]["p50"] > 0
    assert [place.url for place in wiped] == [chroma_server.address] * len(wiped) != []
    assert [place for place in wiped if stored_recipe(place)] == []


@pytest.mark.usefixtures("collections")
def test_the_large_collection_is_measured_only_where_that_is_asked_for() -> None:
    assert [len(records) for records in scale._collections(large=False)] == [3, 3]
    assert [records[0].source for records in scale._collections(large=True)][1:] == [SCIFACT, ML_ARXIV]

"""Collections from elsewhere are read as they are, or refused by file and line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from assistant import wiring
from assistant.errors import InputError
from assistant.settings import Settings
from eval import collection, libraries
from eval import run as running
from tests.fakes import WordHashEmbedder

PAPERS = [
    {"_id": "d1", "title": "On Ice", "text": "Glaciers lost a third of their ice. The loss doubled after 2005."},
    {"_id": "d2", "title": "", "text": "Honey bees dance. Older bees dance longer."},
    {"_id": "d3", "title": "On Ice", "text": "Glaciers lost a third of their ice. The loss doubled after 2005."},
]
QUERIES = [{"_id": "q1", "text": "loss of glacier ice"}, {"_id": "q2", "text": "dance of bees"}]


def write(file: Path, rows: list[Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    write(folder / "corpus.jsonl", PAPERS)
    write(folder / "queries.jsonl", QUERIES)
    write(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q1\td2\t0", "q2\td2\t2"])
    write(folder / "qrels" / "dev.tsv", ["query-id\tcorpus-id\tscore", "q1\td3\t1"])
    return folder


@pytest.fixture
def uniform(tmp_path: Path) -> Path:
    folder = tmp_path / "uniform"
    write(folder / "corpus.jsonl.gz", [{"id": "d1", "title": None, "abstract": "Bees dance."}])
    write(folder / "queries.jsonl", [{"id": n, "text": f"{n}?", "split": s} for n, s in (("a", "dev"), ("b", "test"))])
    write(folder / "qrels.tsv", ["a\td1\t1", "b\td1\t1"])
    return folder


def test_a_beir_folder_is_read_with_the_judgements_of_a_split(beir: Path) -> None:
    found = collection.read(beir, "test")
    assert [(paper.id, paper.title) for paper in found.papers] == [("d1", "On Ice"), ("d2", None), ("d3", "On Ice")]
    assert {question.id: question.papers for question in found.questions} == {"q1": {"d1"}, "q2": {"d2"}}
    assert [question.papers for question in collection.read(beir, "dev").questions] == [{"d3"}]
    assert collection.read(beir).questions[0].papers == {"d1", "d3"}


def test_a_folder_with_splits_among_its_queries_is_read(uniform: Path) -> None:
    assert [question.id for question in collection.read(uniform, "dev").questions] == ["a"]
    assert [question.id for question in collection.read(uniform).questions] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "row", "complaint"),
    [
        ("qrels.tsv", "a\tnowhere\t1", r"qrels\.tsv:3: judges the document nowhere, which is not there"),
        ("qrels.tsv", "nobody\td1\t1", r"qrels\.tsv:3: judges the question nobody, which is not there"),
        ("qrels.tsv", "a d1 1", r"qrels\.tsv:3: expected query, document and grade"),
        ("queries.jsonl", '{"id": "a", "text": "again"}', r"queries\.jsonl:3: the id a was used before"),
        ("queries.jsonl", "no json", r"queries\.jsonl:3: not a line of such a file"),
        ("queries.jsonl", '{"id": "c"}', r"queries\.jsonl:3: not a line of such a file"),
    ],
)
def test_a_broken_line_is_refused_by_file_and_line(uniform: Path, name: str, row: str, complaint: str) -> None:
    with (uniform / name).open("a", encoding="utf-8") as file:
        file.write(f"{row}\n")
    with pytest.raises(InputError, match=complaint):
        collection.read(uniform)


@pytest.mark.parametrize("name", ["corpus.jsonl.gz", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(uniform: Path, name: str) -> None:
    (uniform / name).unlink()
    with pytest.raises(InputError, match=name.split(".")[0]):
        collection.read(uniform)


def test_a_collection_without_a_judged_question_is_refused(uniform: Path) -> None:
    with pytest.raises(InputError, match="no judged question of the split train"):
        collection.read(uniform, "train")


def test_a_file_that_breaks_off_is_refused(uniform: Path) -> None:
    content = (uniform / "corpus.jsonl.gz").read_bytes()
    (uniform / "corpus.jsonl.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"corpus\.jsonl\.gz: cannot be read"):
        collection.read(uniform)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Word-hash vectors instead of the model's."""
    monkeypatch.setattr(wiring, "open_embedder", lambda settings: WordHashEmbedder())


@pytest.mark.usefixtures("hashing")
def test_papers_keep_their_ids_even_where_they_are_equal_and_are_indexed_once(settings: Settings, beir: Path) -> None:
    papers = collection.read(beir).papers
    first = libraries.over_papers("beir", papers, settings)
    generation = first.library.catalog.generation
    first.library.close()
    second = libraries.over_papers("beir", papers, settings)
    assert [paper.id for paper in second.library.catalog.all()] == ["d1", "d2", "d3"]
    assert second.library.catalog.generation == generation
    other = libraries.over_papers("beir", papers[:2], settings)
    assert other.library.home != second.library.home


@pytest.mark.usefixtures("hashing")
def test_a_run_over_a_folder_gives_the_figures_of_its_questions(settings: Settings, beir: Path) -> None:
    figures = running.run(settings, "test", [str(beir)], answers=False)
    assert figures[str(beir)]["R@10"] == {"all": 1.0}
    assert set(running.run(settings, "test", [str(beir)])[str(beir)]) > {"R@1", "gold paper cited"}


def test_a_suite_that_is_neither_known_nor_a_folder_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="nonsense: neither a folder nor one of single"):
        running.run(settings, None, ["nonsense"])

"""The seeds: the documents that the project was created from go in whole, and nothing of their pages does."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from assistant.schema import Paper, Record
from assistant.storage.library import Library
from ingest import pipeline
from ingest.parsers.detect import find_files, read_records
from ingest.report import IngestReport
from tests.conftest import SEEDS

FILES = {
    "000_917dde31eefbba1f.txt": (10, "4b3636bcb1e97d7f22bd4ac58a32dc016d0cb666b04e328bac54bb82bcdf51e6"),
    "001_20b5fffaab4760ea.txt": (10, "aef2476fb94d2f09b0e15473b579690d7e76f0a4052b3666d8c91c5f55d17348"),
    "002_fc428d52bb95c6e7.txt": (246, "ac85be9a40ed93a9a833531eb5055da8a40c25d12bc10810ad981b2930bc9865"),
    "003_24f085ff40abf120.txt": (10, "6f65e973549537921e0c6adde5197f8ca38ff77517cf206592d6b47532374a72"),
    "004_18424ad33afb765c.txt": (10, "b88fc23652ca13702288a1348a696a239bfa70f09be91e05ca0ae33d90a2150f"),
}
TRENDING, LISTED = "002_fc428d52bb95c6e7.txt", "004_18424ad33afb765c.txt"


@cache
def records(name: str) -> list[Record]:
    """Everything that a seed file gives; a problem would be none."""
    items = list(read_records(SEEDS / name))
    assert all(isinstance(record, Record) for record in items)
    return [record for record in items if isinstance(record, Record)]


@pytest.fixture
def papers(seeds_library: Library) -> list[Paper]:
    return list(seeds_library.catalog.papers.all())


def test_the_seeds_are_the_five_files() -> None:
    assert [file.name for file in find_files(SEEDS) if isinstance(file, Path)] == list(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_seed_file_is_byte_for_byte_what_was_handed_in(name: str) -> None:
    assert hashlib.sha256((SEEDS / name).read_bytes()).hexdigest() == FILES[name][1]


@pytest.mark.parametrize("name", FILES)
def test_every_record_of_a_seed_file_is_read(name: str) -> None:
    assert len(records(name)) == FILES[name][0]


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_stands_in_the_file_word_for_word_from_its_line_on(name: str) -> None:
    text = (SEEDS / name).read_text(encoding="utf-8")
    lines = text.split("\n")
    for record in records(name):
        assert record.abstract in text
        assert (record.title or record.abstract) in lines[record.line - 1]


DISGUISES: dict[str, Callable[[bytes], bytes]] = {
    "another name": bytes,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "CR": lambda data: data.replace(b"\n", b"\r"),
    "a byte order mark": lambda data: codecs.BOM_UTF8 + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "blank lines": lambda data: b"\n \n" + data.replace(b"\n", b"\n\n"),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("name", FILES)
def test_a_layout_is_recognised_by_its_content(name: str, disguise: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(DISGUISES[disguise]((SEEDS / name).read_bytes()))
    items = [item for item in read_records(file) if isinstance(item, Record)]
    assert [(item.title, item.authors, item.abstract) for item in items] == [
        (record.title, record.authors, record.abstract) for record in records(name)
    ]


def test_titles_and_authors_come_from_the_layouts_that_have_them() -> None:
    for name in FILES:
        assert {bool(record.title) for record in records(name)} == {name in (TRENDING, LISTED)}
        assert {bool(record.authors) for record in records(name)} == {name == LISTED}


def test_the_button_of_the_page_is_no_part_of_the_first_title() -> None:
    assert records(TRENDING)[0].title == "ETHER: Efficient Finetuning of Large-Scale Models with Hyperplane Reflections"


def test_authors_are_written_first_name_first() -> None:
    assert records(LISTED)[0].authors == (
        "Yong Lin",
        "Shange Tang",
        "Bohan Lyu",
        "Jiayun Wu",
        "Hongzhou Lin",
        "Kaiyu Yang",
        "Jia Li",
        "Mengzhou Xia",
        "Danqi Chen",
        "Sanjeev Arora",
        "Chi Jin",
    )


def test_the_seeds_make_278_papers(papers: list[Paper]) -> None:
    assert len(papers) == 278
    assert sum(bool(paper.title) for paper in papers) == 256
    assert sum(bool(paper.authors) for paper in papers) == 10
    assert sum(not paper.title and not paper.authors for paper in papers) == 22


def test_nothing_of_the_pages_around_them_gets_into_a_paper(papers: list[Paper]) -> None:
    for paper in papers:
        shown = f"{paper.title or ''}\n{paper.abstract}"
        assert "get trending papers" not in shown.casefold()
        assert "Lin, Yong" not in shown
        assert not (paper.title or "").startswith("Subscribe")
        assert not paper.abstract.startswith(("Abstract", "Subscribe"))


def test_a_paper_whose_abstract_was_revised_between_two_files_is_one_paper(papers: list[Paper]) -> None:
    (prover,) = (paper for paper in papers if "Goedel-Prover" in f"{paper.title}{paper.abstract}")
    assert prover.title == "Goedel-Prover: A Frontier Model for Open-Source Automated Theorem Proving"
    assert prover.authors[:2] == ("Yong Lin", "Shange Tang")
    assert prover.sources == ("000_917dde31eefbba1f.txt", LISTED)


def test_a_paper_of_three_files_keeps_all_its_sources(papers: list[Paper]) -> None:
    (paper,) = (paper for paper in papers if len(paper.sources) == 3)
    assert paper.title == "Can Models Learn Skill Composition from Examples?"
    assert paper.sources == ("000_917dde31eefbba1f.txt", TRENDING, "003_24f085ff40abf120.txt")


@pytest.mark.parametrize("latex", [r"$20\%$ of Instruct-SkillMix examples", r"\texttt{No}"])
def test_latex_survives_as_it_was_written(papers: list[Paper], latex: str) -> None:
    assert any(latex in paper.abstract for paper in papers)


def test_the_indexes_hold_exactly_the_papers(seeds_library: Library, papers: list[Paper]) -> None:
    ids = {paper.id for paper in papers}
    assert seeds_library.store.paper_ids() == seeds_library.lexicon.paper_ids() == ids


def test_the_seeds_once_more_change_nothing(seeds_library: Library, papers: list[Paper]) -> None:
    before = seeds_library.catalog.ledger.generation
    report = pipeline.ingest([SEEDS], seeds_library)
    assert report == IngestReport(records=286, unchanged=286)
    assert seeds_library.catalog.ledger.generation == before
    assert list(seeds_library.catalog.papers.all()) == papers

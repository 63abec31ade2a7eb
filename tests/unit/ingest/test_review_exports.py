"""The exports that systematic reviewers screen: quirks beyond the files in `tests/formats`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.schema import Record, Selection
from assistant.storage.library import Library
from ingest import pipeline
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse

FILES = Path(__file__).parents[2] / "formats"
WOS = "PT J\nAU Moss, A\nTI How bees dance\nAB Bees dance for flowers.\nPY 2020\nER\n"


def records(text: str | bytes) -> list[Record]:
    items = list(parse(text if isinstance(text, bytes) else text.encode(), "x"))
    assert not any(isinstance(item, Problem) for item in items), items
    return [item for item in items if isinstance(item, Record)]


@pytest.mark.parametrize("before", ["", "\ufeff", "FN Thomson Reuters Web of Science\nVR 1.0\n", "\n\n"])
@pytest.mark.parametrize("after", ["", "\nEF", "\nEF\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_web_of_science_is_read_with_and_without_its_frame(before: str, after: str, line_end: str) -> None:
    (record,) = records((before + WOS + after).replace("\n", line_end))
    assert (record.title, record.abstract, record.authors) == ("How bees dance", "Bees dance for flowers.", ("A Moss",))


def test_web_of_science_in_utf_16_is_read() -> None:
    assert len(records(("FN Clarivate\nVR 1.0\n" + WOS).encode("utf-16"))) == 1


def test_a_web_of_science_record_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    first, second = records(WOS + "\n" + WOS.replace("bees", "ants").partition("PY")[0])
    assert (first.year, second.title, second.year) == (2020, "How ants dance", None)


def test_text_with_tags_of_two_letters_is_not_taken_for_web_of_science() -> None:
    memo = "Title: How bees dance\nAbstract: Bees dance for flowers.\n\nPT J\n"
    assert [record.title for record in records(memo)] == ["How bees dance"]


@pytest.mark.parametrize("missing", ["[No abstract available]", "[no abstract available].", "No abstract available"])
def test_what_stands_for_a_missing_abstract_is_none(missing: str) -> None:
    (record,) = records(f'"Title","Year","Abstract","Conference code"\n"How bees dance","2020","{missing}","187654"\n')
    assert record.abstract == ""


def test_a_cited_work_in_a_note_gives_a_paper_neither_its_doi_nor_its_arxiv_id() -> None:
    (record,) = records("TY  - JOUR\nTI  - How bees dance\nM1  - Moss. Ice. arXiv:1901.00001 doi 10.5555/x\nER  - \n")
    assert (record.doi, record.arxiv_id) == (None, None)
    (record,) = records("TY  - JOUR\nTI  - How bees dance\nM1  - arXiv:1901.00001 [cs]\nER  - \n")
    assert record.arxiv_id == "1901.00001"


@pytest.mark.parametrize("column", ["included", "label_included", "final_included", "asreview_label"])
@pytest.mark.parametrize(("value", "tags"), [("1", ("relevant",)), ("0.0", ("irrelevant",)), ("", ()), ("-1", ())])
def test_the_label_of_a_table_becomes_a_tag(column: str, value: str, tags: tuple[str, ...]) -> None:
    (record,) = records(f"title,abstract,{column}\nHow bees dance,Bees dance for flowers.,{value}\n")
    assert record.keywords == tags


def test_the_same_paper_of_five_services_is_one_paper_with_the_label_as_tag(
    open_library: Callable[[], Library],
) -> None:
    library = open_library()
    names = ("web_of_science.txt", "scopus.csv", "embase.csv", "cochrane.ris", "ovid.ris", "asreview.csv")
    pipeline.ingest([FILES / name for name in names], library)
    papers = {paper.title: paper for paper in library.catalog.papers.all(Selection())}
    glacier = next(paper for paper in papers.values() if paper.doi == "10.5555/ice.2021.1")
    assert len(glacier.sources) == len(names)
    assert "relevant" in library.catalog.annotations.of(glacier.id).all_tags

"""Keywords of files become tags of papers, which a person's tags stand beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.schema import Annotation, Record
from assistant.storage.catalog_schema import digest
from assistant.storage.library import Library
from ingest import merging, pipeline
from ingest.parsers.detect import read_records
from tests.conftest import Paperchat

ABSTRACT = "We measure how fast small glaciers in the Alps shrink, and why the ice of large ones lasts longer."
RIS = "TY  - JOUR\nTI  - On ice\nAB  - {abstract}\n{keywords}ER  - \n"
FILES = {
    "a.bib": "@article{{ice, title={{On ice}}, abstract={{{abstract}}}, "
    "keywords={{Glaciers, Ice \\& snow, glaciers}}}}",
    "a.ris": "TY  - JOUR\nTI  - On ice\nAB  - {abstract}\nKW  - Glaciers\nKW  - Ice & snow\nER  - \n",
    "a.nbib": "PMID- 12\nTI  - On ice.\nAB  - {abstract}\nOT  - Glaciers\nOT  - Ice & snow\n\n",
    "a.json": '[{{"title": "On ice", "abstract": "{abstract}", "DOI": "", "keyword": "Glaciers; Ice & snow"}}]',
    "a.jsonl": '{{"title": "On ice", "abstract": "{abstract}", "tags": ["Glaciers", "Ice & snow"]}}',
    "a.xml": "<xml><records><record><titles><title>On ice</title></titles><abstract>{abstract}</abstract><keywords>"
    "<keyword>Glaciers</keyword><keyword>Ice &amp; snow</keyword></keywords></record></records></xml>",
}


def write(folder: Path, name: str, *keywords: str) -> Path:
    file = folder / name
    lines = "".join(f"KW  - {keyword}\n" for keyword in keywords)
    file.write_text(RIS.format(abstract=ABSTRACT, keywords=lines), encoding="utf-8")
    return file


def only_annotation(library: Library) -> tuple[str, Annotation]:
    (paper,) = library.catalog.papers.all()
    return paper.id, library.catalog.annotations.of(paper.id)


@pytest.mark.parametrize("name", FILES)
def test_the_keywords_of_a_format_are_read_each_once(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name].format(abstract=ABSTRACT), encoding="utf-8")
    (record,) = read_records(tmp_path / name)
    assert isinstance(record, Record)
    assert sorted(keyword.casefold() for keyword in record.keywords) == ["glaciers", "ice & snow"]


def test_keywords_that_cannot_be_tags_are_left_out(tmp_path: Path) -> None:
    many = [f"word {number}" for number in range(80)]
    (record,) = read_records(write(tmp_path, "a.ris", "x" * 101, '""', "<b>bold</b>", *many))
    assert isinstance(record, Record)
    assert record.keywords[0] == "bold"
    assert len(record.keywords) == 50


def test_tags_of_a_file_stand_beside_those_of_a_person_and_filters_find_both(library: Library, tmp_path: Path) -> None:
    pipeline.ingest([write(tmp_path, "a.ris", "Glaciers", "ice")], library)
    paper_id, annotation = only_annotation(library)
    assert annotation == Annotation(keywords=("Glaciers", "ice"))
    library.catalog.annotations.add_tags(paper_id, ["to read", "ICE"])
    _, annotation = only_annotation(library)
    assert annotation.tags == ("ICE", "to read")
    assert annotation.all_tags == ("ICE", "to read", "Glaciers")
    assert library.catalog.annotations.tag_counts() == {"Glaciers": 1, "ICE": 1, "to read": 1}


def test_a_file_that_is_read_again_replaces_its_own_tags_and_never_those_of_a_person(
    library: Library, tmp_path: Path
) -> None:
    pipeline.ingest([write(tmp_path, "a.ris", "Glaciers", "old")], library)
    paper_id, _ = only_annotation(library)
    library.catalog.annotations.set_tags(paper_id, ["to read", "old"])
    pipeline.ingest([write(tmp_path, "a.ris", "Glaciers", "new")], library)
    paper_id, annotation = only_annotation(library)
    assert annotation.keywords == ("Glaciers", "new")
    assert annotation.tags == ("old", "to read")
    library.catalog.annotations.set_tags(paper_id, [])
    assert only_annotation(library)[1].keywords == ("Glaciers", "new")


def test_a_library_that_was_filled_before_gets_the_tags_when_its_file_is_read_again(
    library: Library, tmp_path: Path
) -> None:
    pipeline.ingest([write(tmp_path, "a.ris")], library)
    report = pipeline.ingest([write(tmp_path, "a.ris", "Glaciers")], library)
    assert report.updated == 1
    assert only_annotation(library)[1].keywords == ("Glaciers",)


def test_a_record_without_keywords_keeps_the_digest_that_it_had_before_there_were_any() -> None:
    record = Record("Bees dance.", "On bees", ("Lin",), 2020, source="a.bib")
    assert digest(record) == "5a98ce4c6942ed686866e02ce59f4590"


def test_merged_papers_have_the_tags_of_each_file_and_split_ones_their_own(library: Library, tmp_path: Path) -> None:
    pipeline.ingest([write(tmp_path, "a.ris", "Glaciers"), write(tmp_path, "b.ris", "snow")], library)
    paper_id, annotation = only_annotation(library)
    assert annotation.keywords == ("Glaciers", "snow")
    parts = merging.unmerge(library, paper_id)
    assert {library.catalog.annotations.of(part.id).keywords for part in parts} == {("Glaciers",), ("snow",)}
    with library.writing():
        library.catalog.delete([part.id for part in parts])
    assert library.catalog.annotations.tag_counts() == {}


def test_the_command_line_shows_and_exports_tags_of_files(paperchat: Paperchat, tmp_path: Path) -> None:
    paperchat("ingest", write(tmp_path, "a.ris", "Glaciers"))
    (paper,) = paperchat("list", "tag:glaciers", "--json").json
    assert "file tags   Glaciers" in paperchat("show", paper["id"]).out
    assert paperchat("tag", paper["id"], "to read").out == "to read\nfrom its files: Glaciers\n"
    assert "keywords = {to read, Glaciers}" in paperchat("export", "--format", "bibtex").out

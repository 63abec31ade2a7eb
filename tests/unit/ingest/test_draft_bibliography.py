"""The entries of a bibliography are tied to papers, and what differs is told apart from what is not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.drafts.cited_papers import CitedPapers
from assistant.drafts.values import BibliographyEntry, DraftNote, EntryCheck
from assistant.schema import Record
from assistant.storage.library import Library
from ingest import pipeline
from ingest.bibliography import check_entries, find_files, read_entries
from ingest.drafts import open_text

RECORDS = [
    Record(
        "Bees dance. " * 20, "How honey bees tell where flowers are", ("Ann Lin", "Bo Wu"), 2020, doi="10.1234/bees"
    ),
    Record("Ice melts. " * 20, "The ice of the northern Alps", ("Cy Ice",), 2021, arxiv_id="2001.00001"),
    Record("Bread rises. " * 20, "On sourdough bread and wild yeast", ("Dee Bäcker",), 2019),
]
Check = Callable[[str], list[EntryCheck]]


@pytest.fixture
def check(library: Library) -> Check:
    pipeline.ingest_records(RECORDS, library)
    return lambda bib: check_entries(read_entries(bib.encode(), "a.bib", []), library.catalog)


@pytest.mark.parametrize(
    ("entry", "status", "different"),
    [
        ("doi={10.1234/BEES}", "known", set()),
        ("title={How Honey Bees Tell Where {Flowers} Are}, author={Lin, Ann and others}, year=2020", "known", set()),
        ("eprint={2001.00001}, archiveprefix={arXiv}, title={The ice of the northern Alps}", "known", set()),
        ('title={On sourdough bread and wild yeast}, author={B{\\"a}cker, Dee}', "known", set()),
        ("doi={10.1234/bees}, title={How wasps tell where flowers are}", "differs", {"title"}),
        ("doi={10.1234/bees}, year=2018, author={Wu, Bo}", "differs", {"year", "authors"}),
        ("title={How honey bees tell where flower are}, author={Lin, Ann}", "differs", {"title"}),
        ("title={On sourdough bread and wild yeast}, author={Bäcker, Dee}, year=1999", "differs", {"year"}),
        ("title={How honey bees tell where nectar is not}, author={Someone, Else}", "unknown", set()),
        ("title={Ghosts of the southern Andes}, author={Cy Ice}, year=2021", "unknown", set()),
    ],
)
def test_an_entry_is_known_unknown_or_differs(entry: str, status: str, different: set[str], check: Check) -> None:
    (checked,) = check(f"@article{{key, {entry}}}")
    assert (checked.status.value, set(checked.differences)) == (status, different)
    assert (checked.paper is None) == (status == "unknown")


def test_two_keys_of_one_paper_are_duplicates_whether_the_library_has_it_or_not(check: Check) -> None:
    known = "@a{one, doi={10.1234/bees}}\n@a{two, title={How honey bees tell where flowers are}}"
    unknown = "@a{three, title={Ghosts of the southern Andes}}\n@a{four, title={Ghosts of the Southern Andes.}}"
    checked = check(f"{known}\n{unknown}")
    assert [(item.key, item.duplicate_of) for item in checked] == [
        ("one", None),
        ("two", "one"),
        ("three", None),
        ("four", "three"),
    ]
    assert [item.status.value for item in checked] == ["known", "duplicate", "unknown", "duplicate"]


def test_five_thousand_entries_take_seconds(check: Check) -> None:
    bib = "\n".join(
        f"@article{{k{n}, title={{Study number {n} of the rivers of the world}}, author={{Rill, R{n}}}, year={{2010}}}}"
        for n in range(5000)
    )
    started = time.perf_counter()
    assert len(check(bib)) == 5000
    assert time.perf_counter() - started < 60


def test_the_texts_of_a_list_of_references_are_tied_by_title_and_identifier(library: Library) -> None:
    pipeline.ingest_records(RECORDS, library)
    listed = (
        "Bees dance [1].\n\nReferences\n[1] A. Lin, B. Wu. How honey bees tell where flowers are. 2020.\n"
        "[2] C. Ice. The ice of the northern Alps. arXiv:2001.00001, 2020.\n[3] N. Obody. A ghost. 2020.\n"
    )
    checked = check_entries(open_text(listed).text.entries, library.catalog)
    assert [(item.status.value, set(item.differences)) for item in checked] == [
        ("known", set()),
        ("differs", {"year"}),
        ("unknown", set()),
    ]


def test_authors_with_a_year_mean_an_entry_or_else_a_paper_of_the_library(library: Library) -> None:
    pipeline.ingest_records(RECORDS, library)
    entries = [BibliographyEntry("lin", RECORDS[0])]
    catalog = library.catalog
    with_entry = CitedPapers(entries, check_entries(entries, catalog), catalog.papers, catalog.synced)
    without = CitedPapers([], [], catalog.papers, catalog.synced)
    for cited in (with_entry, without):
        assert [paper.year for paper in cited.find("Lin and Wu, 2020")] == [2020]
        assert [paper.year for paper in cited.find("Bäcker, 2019a")] == [2019]
        assert cited.find("Lin, 2001") == ()
    assert with_entry.has_entry("Lin et al., 2020")
    assert not with_entry.has_entry("Ghost, 2020")


def test_only_files_beside_the_draft_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    folder.mkdir()
    for name in ("a.bib", "b.bib"):
        (folder / name).write_text("")
    (tmp_path / "secret.bib").write_text("")
    draft = folder / "b.tex"
    assert find_files(draft, ["a"]) == [folder / "a.bib"]
    assert find_files(draft, ["../secret.bib"]) == [folder / "b.bib"]
    assert find_files(draft, ["sub/a.bib", "a"]) == [folder / "a.bib"]
    assert find_files(folder / "c.tex", []) == []


def test_broken_entries_become_notes() -> None:
    notes: list[DraftNote] = []
    entries = read_entries(
        b"@article{a, title={On bees}}\n@article{b, title={broken\n@misc{c, title={On ice}}", "x.bib", notes
    )
    assert entries[0].key == "a"
    assert notes

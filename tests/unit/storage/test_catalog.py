"""The catalog: what is written is kept, found again by its id, and known to be indexed or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import LibraryError, LibraryWriteError, NotFoundError
from assistant.question.filters import is_by
from assistant.schema import Filters, Paper, Record, Scope
from assistant.storage.catalog import Catalog, PaperChange

FULL = Paper(
    id="00ff",
    abstract="∇·E = ρ/ε₀, “quoted”\nand 'quoted'; DROP TABLE papers; 🧪",
    title="Flüssigkeiten",
    authors=("Ada Lovelace", "Ωmega, Jr."),
    year=1843,
    venue="Scientific Memoirs",
    doi="10.1/x",
    arxiv_id="1843.00001",
    url="https://example.org/?a=1&b=2",
    sources=("a.txt", "b.txt"),
)
BARE = Paper(id="10aa", abstract="Nothing else is known.")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "catalog.db"


@pytest.fixture
def reopen(file: Path) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog of one file, as often as asked."""
    opened: list[Catalog] = []

    def open_one() -> Catalog:
        opened.append(Catalog(file))
        return opened[-1]

    yield open_one
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(reopen: Callable[[], Catalog]) -> Catalog:
    return reopen()


def change(paper: Paper, *former_ids: str, record: Record | None = None) -> PaperChange:
    new = {record: frozenset({f"mark {record.abstract}"})} if record else {}
    return PaperChange(paper, new, superseded=frozenset(), former_ids=frozenset(former_ids))


def keep(catalog: Catalog, *papers: Paper) -> None:
    """Write the papers and say that they are indexed."""
    catalog.put([change(paper) for paper in papers], run=1)
    catalog.ledger.mark_indexed(papers)


def many(count: int) -> list[Paper]:
    return [Paper(id=f"{number:06}", abstract=f"abstract {number} " * 20) for number in range(count)]


def ids(papers: Sequence[Paper]) -> list[str]:
    return [paper.id for paper in papers]


def test_it_is_one_file_in_wal_mode_made_with_its_folder(catalog: Catalog, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_catalog_holds_nothing(catalog: Catalog) -> None:
    assert catalog.papers.count() == catalog.ledger.pending_count() == catalog.ledger.generation == 0
    assert list(catalog.papers.all()) == catalog.ledger.pending(10) == catalog.papers.get(["00ff"]) == []
    assert catalog.ledger.stale_ids() == []


def test_every_field_of_a_paper_survives_reopening(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    keep(catalog, FULL, BARE)
    catalog.close()
    again = reopen()
    assert list(again.papers.all()) == [FULL, BARE]
    assert again.papers.count() == 2
    assert again.ledger.generation == 1


def test_a_paper_is_shown_once_it_is_indexed(catalog: Catalog) -> None:
    catalog.put([change(FULL)], run=1)
    assert catalog.papers.count() == 0
    assert catalog.papers.get([FULL.id]) == []
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)
    catalog.ledger.mark_indexed([FULL])
    assert catalog.papers.get([FULL.id]) == [catalog.papers.find(FULL.id)] == [FULL]


def test_putting_a_paper_again_replaces_it(catalog: Catalog) -> None:
    keep(catalog, FULL)
    newer = Paper(id=FULL.id, abstract="A new abstract.")
    keep(catalog, newer)
    assert list(catalog.papers.all()) == [newer]


def test_get_keeps_the_order_asked_for_and_passes_over_unknown_ids(catalog: Catalog) -> None:
    keep(catalog, *many(3))
    assert ids(catalog.papers.get(["000002", "nobody", "000000"])) == ["000002", "000000"]


def test_get_takes_more_ids_than_a_statement_has_parameters(catalog: Catalog) -> None:
    papers = many(1100)
    keep(catalog, *papers)
    wanted = ids(papers)[::-1]
    assert ids(catalog.papers.get(wanted)) == wanted


def test_all_is_by_id(catalog: Catalog) -> None:
    keep(catalog, *many(3)[::-1])
    assert ids(list(catalog.papers.all())) == ["000000", "000001", "000002"]


def test_papers_that_wait_are_not_counted_as_indexed(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE)], run=1)
    assert catalog.ledger.indexed_count() == 1


def test_the_beginning_of_an_id_finds_its_paper(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    assert catalog.papers.find("00ff") == catalog.papers.find("00") == catalog.papers.find("0") == FULL


def test_a_whole_id_finds_its_paper_although_another_one_begins_with_it(catalog: Catalog) -> None:
    keep(catalog, FULL, Paper(id=f"{FULL.id}a", abstract="Another."), Paper(id=f"{FULL.id}0", abstract="A third."))
    assert catalog.papers.find(FULL.id) == FULL


def test_a_beginning_that_two_papers_share_is_refused(catalog: Catalog) -> None:
    keep(catalog, FULL, Paper(id="00fe", abstract="Another."))
    with pytest.raises(NotFoundError, match="several papers have the id '00f'"):
        catalog.papers.find("00f")


@pytest.mark.parametrize("unknown", ["", "%", "_", "__ff", "0%", "00ff0", "ff", "00ff ", "'; --", "\0", "\\"])
def test_an_id_that_no_paper_has_is_refused_and_wildcards_are_none(catalog: Catalog, unknown: str) -> None:
    keep(catalog, FULL)
    with pytest.raises(NotFoundError, match="the id"):
        catalog.papers.find(unknown)


def test_a_paper_is_found_by_the_ids_that_it_used_to_have(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id)], run=2)
    newest = Paper(id="20bb", abstract="Merged twice.")
    catalog.put([change(newest, BARE.id)], run=3)
    catalog.ledger.mark_removed([FULL.id])
    catalog.ledger.mark_indexed([newest])
    for known in (catalog, reopen()):
        assert known.papers.find(FULL.id) == known.papers.find(BARE.id) == known.papers.find(newest.id) == newest


def test_an_id_that_comes_back_is_its_own_paper_again(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id)], run=2)
    catalog.put([change(FULL)], run=3)
    catalog.ledger.mark_indexed([FULL, BARE])
    assert catalog.papers.find(FULL.id) == FULL
    assert catalog.papers.find(BARE.id) == BARE


def test_pending_are_papers_that_are_new_or_have_changed(catalog: Catalog) -> None:
    keep(catalog, FULL)
    changed = Paper(id=FULL.id, abstract=FULL.abstract, title="Another title")
    catalog.put([change(changed), change(BARE)], run=2)
    assert catalog.ledger.pending(10) == [changed, BARE]
    assert catalog.ledger.pending(1) == [changed]
    assert catalog.ledger.pending(1, after=changed.id) == [BARE]
    assert catalog.ledger.pending(1, after=BARE.id) == []
    assert catalog.ledger.pending_count() == 2
    assert catalog.papers.count() == 1, "the paper stays in sight while its new version waits"
    catalog.ledger.mark_indexed([changed, BARE])
    assert catalog.ledger.pending_count() == 0


def test_writing_the_same_paper_again_leaves_nothing_pending(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(FULL)], run=2)
    assert catalog.ledger.pending(10) == []


def test_a_deleted_paper_is_gone_and_its_id_is_stale(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.delete([FULL.id, "nobody"])
    assert list(catalog.papers.all()) == [BARE]
    assert catalog.ledger.stale_ids() == [FULL.id]
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)
    catalog.ledger.mark_removed([FULL.id])
    assert catalog.ledger.stale_ids() == []


def test_the_id_of_an_absorbed_paper_is_stale(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id)], run=2)
    assert catalog.ledger.stale_ids() == [FULL.id]


def test_deleting_a_paper_forgets_its_records_marks_and_former_ids(catalog: Catalog) -> None:
    record = Record("An abstract.", source="a.txt", line=3)
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id, record=record)], run=2)
    catalog.ledger.mark_indexed([BARE])
    assert catalog.records.existing([record]) == {record}
    assert [each.record for each in catalog.records.matching(["mark An abstract."])["mark An abstract."]] == [record]
    catalog.delete([BARE.id])
    assert catalog.records.existing([record]) == set()
    assert catalog.records.matching(["mark An abstract."]) == {}
    assert catalog.records.of_papers([BARE.id]) == []
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)


def test_more_papers_than_a_statement_has_parameters_are_deleted_in_one_call(catalog: Catalog) -> None:
    papers = many(1100)
    keep(catalog, *papers)
    catalog.delete(ids(papers))
    assert catalog.papers.count() == 0
    assert len(catalog.ledger.stale_ids()) == 1100


def test_a_record_is_held_wherever_in_its_file_it_stands(catalog: Catalog) -> None:
    record = Record("An abstract.", source="a.txt", line=3)
    moved = Record("An abstract.", source="a.txt", line=9)
    elsewhere = Record("An abstract.", source="b.txt", line=3)
    catalog.put([change(BARE, record=record)], run=1)
    assert catalog.records.existing([moved, elsewhere]) == {moved}


def test_the_generation_grows_with_each_change_of_the_indexes_only(catalog: Catalog) -> None:
    catalog.put([change(FULL)], run=1)
    assert catalog.ledger.generation == 0
    catalog.ledger.mark_indexed([FULL])
    assert catalog.ledger.generation == 1
    catalog.ledger.mark_removed([FULL.id])
    assert catalog.ledger.generation == 2
    catalog.ledger.clear()
    assert catalog.ledger.generation == 3


def test_unmarking_makes_every_paper_wait(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.ledger.clear()
    assert catalog.papers.count() == 0
    assert catalog.ledger.pending(10) == [FULL, BARE]


def test_runs_are_numbered_upwards_across_reopening(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    assert [catalog.records.next_run(), catalog.records.next_run(), reopen().records.next_run()] == [1, 2, 3]


def test_a_change_that_fails_leaves_nothing_of_its_batch(catalog: Catalog) -> None:
    record = Record("Of two papers at once.")
    with pytest.raises(LibraryWriteError, match="cannot be written"):
        catalog.put([change(FULL, record=record), change(BARE, record=record)], run=1)
    assert catalog.ledger.pending_count() == 0
    assert catalog.records.existing([record]) == set()


def test_a_reader_beside_a_writer_sees_what_was_committed(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    reader = reopen()
    keep(catalog, FULL)
    assert list(reader.papers.all()) == [FULL]


def test_a_catalog_of_a_newer_version_is_refused_with_the_cure(catalog: Catalog, file: Path) -> None:
    catalog.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE facts SET value = 2 WHERE name = 'version'")
    with pytest.raises(LibraryError, match=r"version 2.*upgrade paperchat"):
        Catalog(file)


def test_a_file_that_is_no_catalog_is_refused_and_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(LibraryError, match=r"catalog\.db cannot be opened: .*not a database"):
        Catalog(file)
    assert file.read_bytes() == b"this is no database" * 100


def test_damage_inside_the_file_is_a_library_error_wherever_it_is_met(
    catalog: Catalog, file: Path, reopen: Callable[[], Catalog]
) -> None:
    keep(catalog, *many(500))
    catalog.close()
    content = file.read_bytes()
    half = len(content) // 2
    file.write_bytes(content[:half] + b"\xa5" * (len(content) - half))
    damaged = reopen().papers
    for read in (
        lambda: list(damaged.all()),
        lambda: damaged.get(ids(many(500))),
        lambda: damaged.find("000400"),
    ):
        with pytest.raises(LibraryError, match="catalog"):
            read()


def test_a_folder_that_cannot_be_made_is_a_library_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(LibraryError, match="cannot be opened"):
        Catalog(tmp_path / "file" / "catalog.db")


# --- filters ---------------------------------------------------------------------------------------------------------

FILTERED = [
    (Filters(authors=("lovelace",)), {"00ff"}),
    (Filters(authors=("Ada Lovelace", "Ωmega")), {"00ff"}),
    (Filters(authors=("Babbage",)), set()),
    (Filters(since=1843), {"00ff"}),
    (Filters(since=1844), set()),
    (Filters(until=1843), {"00ff"}),
    (Filters(until=1842), set()),
    (Filters(since=1800, until=1900), {"00ff"}),
    (Filters(titles=("flussigkeiten",)), {"00ff"}),
    (Filters(venues=("scientific",)), {"00ff"}),
    (Filters(sources=("b.txt",)), {"00ff"}),
    (Filters(phrases=("and quoted",)), {"00ff"}),
    (Filters(phrases=("else is known",)), {"10aa"}),
    (Filters(phrases=("else known",)), set()),
    (Filters(without=("nothing",)), {"00ff"}),
    (Filters(without=("Flüssigkeiten", "nothing")), set()),
    (Filters(without=("'; DROP TABLE papers; --",)), {"10aa"}),
    (Filters(authors=("'; DROP TABLE papers; --",)), set()),
    (Filters(without=("unheard of",)), {"00ff", "10aa"}),
]


@pytest.mark.parametrize(("filters", "allowed"), FILTERED)
def test_filters_let_through_the_papers_that_match_all_of_them(
    catalog: Catalog, filters: Filters, allowed: set[str]
) -> None:
    keep(catalog, FULL, BARE)
    assert catalog.papers.allowed_ids(filters, Scope()) == allowed
    assert catalog.papers.allowed_ids(filters, Scope(excluded=("00ff",))) == allowed - {"00ff"}
    assert catalog.papers.allowed_ids(filters, Scope(pinned=("00ff",))) == allowed & {"00ff"}


WRITERS = [
    "Danqi Chen",
    "CHEN, D.",
    "Aäron van den Oord",
    "Bernhard Schölkopf",
    "Łukasz Kaiser",
    'Jane "JJ" O\'Neil',
    "100% Human_Being",
    "back\\slash",
    "王 小明",
    "X Æ",
]


@pytest.mark.parametrize(
    "name", [*WRITERS, "chen", "Oord", "o", "scholkopf", "Kaiser", "%", "_", "human being", "slash", "王"]
)
def test_the_papers_within_an_authors_name_are_those_that_bear_it(catalog: Catalog, name: str) -> None:
    held = [replace(FULL, id=f"{number:04}", authors=("Somebody Else", each)) for number, each in enumerate(WRITERS)]
    keep(catalog, *held)
    assert catalog.papers.allowed_ids(Filters(authors=(name,)), Scope()) == {
        each.id for each in held if is_by(each.authors, name)
    }


def test_a_filter_that_is_used_again_sees_what_has_come_and_gone(catalog: Catalog) -> None:
    keep(catalog, FULL)
    assert catalog.papers.allowed_ids(Filters(without=("unheard of",)), Scope()) == {"00ff"}
    keep(catalog, BARE)
    assert catalog.papers.allowed_ids(Filters(without=("unheard of",)), Scope()) == {"00ff", "10aa"}
    catalog.delete(["00ff"])
    assert catalog.papers.allowed_ids(Filters(without=("unheard of",)), Scope()) == {"10aa"}


def test_without_filters_and_scope_everything_is_within(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    assert catalog.papers.allowed_ids(Filters(), Scope()) is None


def test_a_scope_of_thousands_of_papers_is_taken(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    many = tuple(f"{number:05}" for number in range(3000))
    assert catalog.papers.allowed_ids(Filters(), Scope(pinned=(*many, "10aa"))) == {"10aa"}
    assert catalog.papers.allowed_ids(Filters(), Scope(excluded=(*many, "10aa"))) == {"00ff"}


def test_papers_that_are_not_indexed_yet_are_not_within(catalog: Catalog) -> None:
    catalog.put([change(FULL)], catalog.records.next_run())
    assert catalog.papers.allowed_ids(Filters(since=1800), Scope()) == set()
    assert not catalog.papers.has_author("Lovelace")


def test_an_author_is_one_whom_a_paper_names(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    assert catalog.papers.has_author("A. Lovelace")
    assert not catalog.papers.has_author("Charles Babbage")


def test_what_papers_lack_is_counted_for_the_filters_asked(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    everything = Filters(authors=("x",), titles=("x",), venues=("x",), since=2000)
    assert catalog.papers.count_missing(everything) == {"authors": 1, "title": 1, "venue": 1, "year": 1}
    assert catalog.papers.count_missing(Filters(until=2000)) == {"year": 1}
    assert catalog.papers.count_missing(Filters(phrases=("x y",))) == {}


def test_the_newest_papers_come_first_and_those_without_a_year_last(catalog: Catalog) -> None:
    later = replace(FULL, id="22bb", year=1900)
    keep(catalog, BARE, FULL, later)
    assert catalog.papers.newest({"00ff", "10aa", "22bb"}, 3) == [later, FULL, BARE]
    assert catalog.papers.newest({"10aa", "00ff"}, 1) == [FULL]

"""The papers of the catalog: found by their ids, listed, and filtered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from assistant.errors import NotFoundError
from assistant.schema import Filters, Paper, Scope
from assistant.storage.catalog import Catalog
from assistant.text.matching import has_author
from tests.unit.storage.catalogs import BARE, FULL, change, ids, keep, many


def test_a_paper_is_shown_once_it_is_indexed(catalog: Catalog) -> None:
    catalog.put([change(FULL)], run=1)
    assert catalog.papers.count() == 0
    assert catalog.papers.get([FULL.id]) == []
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)
    catalog.ledger.mark_indexed([FULL])
    assert catalog.papers.get([FULL.id]) == [catalog.papers.find(FULL.id)] == [FULL]


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


# Filters

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
        each.id for each in held if has_author(each.authors, name)
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

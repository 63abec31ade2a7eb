"""Collections, tags and notes: they follow their papers through merging, splitting and deletion."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import InputError, NotFoundError
from assistant.schema import Annotation, Filters, Paper, Record, Scope, Selection
from assistant.storage.annotations import MAX_NOTE_LENGTH, MAX_TAGS
from assistant.storage.catalog import Catalog
from tests.unit.storage.catalogs import BARE, FULL, change, ids, keep, many

NAMES = ["RLHF", "Überblick «2024»", "<b>bold</b> & 'quoted'", "🔥", 'The "best" papers', "a/b", "C++?"]


def in_collection(catalog: Catalog, *names: str) -> list[str]:
    return ids(list(catalog.papers.all(Selection(Filters(collections=names)))))


def merge(catalog: Catalog) -> Paper:
    """Merge two papers, as an ingest does that finds out that they are one."""
    merged = Paper(id="20bb", abstract="Both.", sources=("a.txt",))
    catalog.put([change(merged, FULL.id, BARE.id)], run=2)
    catalog.ledger.mark_indexed([merged])
    return merged


@pytest.fixture
def record() -> Record:
    return Record("An abstract.", source="a.txt", line=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_in_any_case_with_or_without_quotation_marks(catalog: Catalog, name: str) -> None:
    keep(catalog, FULL, BARE)
    created = catalog.collections.create(f"  {name}\t ", [FULL.id])
    assert (created.name, created.papers) == (name, 1)
    assert catalog.collections.find(name.upper().replace('"', "")) == created == catalog.collections.find(created.id)
    assert in_collection(catalog, name.lower()) == [FULL.id]
    with pytest.raises(InputError, match="already"):
        catalog.collections.create(name.title() if name.title().lower() == name.lower() else name)


@pytest.mark.parametrize("name", ["", "  \n", '""', "\x00\x1b", "\u200b", "x" * 101])
def test_a_name_of_nothing_or_too_many_characters_is_refused(catalog: Catalog, name: str) -> None:
    with pytest.raises(InputError):
        catalog.collections.create(name)
    assert catalog.collections.all() == []


def test_control_characters_and_changes_of_direction_are_no_part_of_a_name(catalog: Catalog) -> None:
    assert catalog.collections.create("a\x1b[31m\u202eb\nc").name == "a[31mb c"


def test_an_unknown_collection_is_an_error_that_names_the_near_ones(catalog: Catalog) -> None:
    catalog.collections.create("Reward models")
    catalog.collections.create("Optimizers")
    with pytest.raises(
        NotFoundError, match="there is no collection 'reward modles'; perhaps 'Reward models' was meant"
    ):
        catalog.collections.find("reward modles")
    for selected in (
        lambda: catalog.papers.page(Selection(Filters(collections=("optimiser",)))),
        lambda: list(catalog.papers.all(Selection(Filters(collections=("optimiser",))))),
        lambda: catalog.papers.count_by("year", Selection(Filters(collections=("optimiser",)))),
        lambda: catalog.papers.allowed_ids(Filters(collections=("optimiser",)), Scope()),
        lambda: catalog.papers.allowed_ids(Filters(), Scope(collections=("optimiser",))),
    ):
        with pytest.raises(InputError, match="perhaps 'Optimizers' was meant"):
            selected()


def test_papers_are_added_and_removed_each_once(catalog: Catalog) -> None:
    papers = many(5)
    keep(catalog, *papers)
    collection = catalog.collections.create("few", ids(papers[:2]))
    assert catalog.collections.add(collection.id, ids(papers[1:4])) == 2
    assert catalog.collections.remove(collection.id, [*ids(papers[:1]), "nobody"]) == 1
    assert in_collection(catalog, "few") == ids(papers[1:4])
    assert catalog.collections.of_papers(ids(papers[:2])) == {papers[1].id: ("few",)}


def test_nothing_is_added_unless_every_paper_exists(catalog: Catalog) -> None:
    keep(catalog, FULL)
    collection = catalog.collections.create("few")
    with pytest.raises(NotFoundError, match="nobody"):
        catalog.collections.add(collection.id, [FULL.id, "nobody"])
    with pytest.raises(NotFoundError, match="nobody"):
        catalog.collections.create("more", ["nobody"])
    assert [(each.name, each.papers) for each in catalog.collections.all()] == [("few", 0)]


def test_a_renamed_collection_keeps_its_papers_and_a_deleted_one_leaves_them_in_the_library(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    collection = catalog.collections.create("few", [FULL.id])
    catalog.collections.create("others")
    with pytest.raises(InputError, match="'others' already"):
        catalog.collections.rename(collection.id, "OTHERS")
    catalog.collections.rename(collection.id, "FEW")
    assert in_collection(catalog, "few") == [FULL.id]
    catalog.collections.delete(collection.id)
    assert catalog.papers.count() == 2
    with pytest.raises(NotFoundError):
        catalog.collections.delete(collection.id)
    with pytest.raises(NotFoundError):
        catalog.collections.rename(collection.id, "x")


def test_a_scope_lets_through_papers_of_the_collection_only(catalog: Catalog) -> None:
    papers = many(4)
    keep(catalog, *papers)
    catalog.collections.create("Few", ids(papers[:3]))
    inside = Scope(collections=("few",))
    assert catalog.papers.allowed_ids(Filters(), inside) == set(ids(papers[:3]))
    assert catalog.papers.allowed_ids(Filters(), replace(inside, excluded=(papers[0].id,))) == set(ids(papers[1:3]))
    assert catalog.papers.allowed_ids(Filters(), replace(inside, pinned=(papers[1].id, papers[3].id))) == {papers[1].id}
    assert catalog.resolve_scope(inside).collections == ("Few",)


def test_what_was_added_to_a_deleted_paper_is_gone_also_when_the_paper_comes_back(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.collections.create("few", [FULL.id, BARE.id])
    catalog.annotations.set_note(BARE.id, "read")
    merged = merge(catalog)
    catalog.delete([merged.id])
    assert catalog.collections.find("few").papers == 0
    keep(catalog, FULL, BARE)
    assert in_collection(catalog, "few") == []
    assert catalog.annotations.of_papers([FULL.id, BARE.id]) == {}


def test_a_paper_that_is_merged_brings_its_collections_tags_and_note_and_splitting_gives_them_back(
    catalog: Catalog, record: Record
) -> None:
    keep(catalog, FULL, BARE)
    catalog.collections.create("of both", [FULL.id, BARE.id])
    catalog.collections.create("of one", [BARE.id])
    catalog.annotations.set_tags(FULL.id, ["A", "both"])
    catalog.annotations.set_tags(BARE.id, ["Both", "z"])
    catalog.annotations.set_note(FULL.id, "First.")
    catalog.annotations.set_note(BARE.id, "Second.")
    before = catalog.annotations.of_papers([FULL.id, BARE.id])
    merged = merge(catalog)
    assert [each.papers for each in catalog.collections.all()] == [1, 1]
    assert in_collection(catalog, "of both", "of one") == [merged.id]
    annotation = catalog.annotations.of(merged.id)
    assert annotation.collections == ("of both", "of one")
    assert list(map(str.lower, annotation.tags)) == ["a", "both", "z"]
    assert annotation.note == "First.\n\nSecond."
    assert [*catalog.annotations.tag_counts().values()] == [1, 1, 1]
    assert catalog.papers.resolve([BARE.id, "20b"]) == [merged.id, merged.id]
    catalog.split(merged.id, {FULL: [], BARE: []})
    catalog.ledger.mark_indexed([FULL, BARE])
    assert catalog.annotations.of_papers([FULL.id, BARE.id]) == before


def test_a_merged_paper_is_removed_from_a_collection_under_every_id_that_it_had(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    collection = catalog.collections.create("few", [FULL.id, BARE.id])
    merged = merge(catalog)
    assert catalog.collections.add(collection.id, [merged.id]) == 0
    assert catalog.collections.remove(collection.id, [merged.id]) == 1
    assert in_collection(catalog, "few") == []


def test_tags_are_found_in_any_case_and_words_of_tags_and_notes_by_a_list(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.annotations.set_tags(FULL.id, ["To Read", "to read", "NLP"])
    catalog.annotations.add_tags(FULL.id, ["nlp", "🔥"])
    catalog.annotations.set_note(BARE.id, "  Compare with <b>Lovelace</b>\x00.\r\nAgain ")
    assert catalog.annotations.of(BARE.id) == Annotation(note="Compare with <b>Lovelace</b>.\nAgain")
    assert ids(list(catalog.papers.all(Selection(Filters(tags=("TO read",)))))) == [FULL.id]
    assert ids(list(catalog.papers.all(Selection(Filters(tags=("🔥",)))))) == [FULL.id]
    assert ids(list(catalog.papers.all(Selection(Filters(notes=("with b lovelace",)))))) == [BARE.id]
    assert ids(list(catalog.papers.all(Selection(words=("again",))))) == [BARE.id]
    assert ids(list(catalog.papers.all(Selection(words=("nlp",))))) == [FULL.id]
    catalog.annotations.remove_tags(FULL.id, ["NLP", "unknown"])
    catalog.annotations.set_note(BARE.id, " ")
    assert set(catalog.annotations.tag_counts()) == {"To Read", "🔥"}
    assert list(catalog.papers.all(Selection(words=("again",)))) == []


def test_too_many_tags_and_too_long_notes_are_refused_and_change_nothing(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.annotations.set_tags(FULL.id, ["a"])
    catalog.annotations.set_note(FULL.id, "short")
    before = catalog.annotations.of(FULL.id)
    with pytest.raises(InputError, match="too many for a paper"):
        catalog.annotations.add_tags(FULL.id, list(map(str, range(MAX_TAGS))))
    with pytest.raises(InputError, match="a name needs"):
        catalog.annotations.set_tags(FULL.id, ["fine", " "])
    with pytest.raises(InputError, match="too many"):
        catalog.annotations.set_note(FULL.id, "x" * (MAX_NOTE_LENGTH + 1))
    for unknown in (catalog.annotations.set_tags, catalog.annotations.add_tags, catalog.annotations.remove_tags):
        with pytest.raises(NotFoundError):
            unknown("nobody", ["x"])
    assert catalog.annotations.of(FULL.id) == before


def test_ten_thousand_papers_are_one_collection(catalog: Catalog) -> None:
    papers = [Paper(id=f"{number:06}", abstract=f"abstract {number}") for number in range(10_500)]
    keep(catalog, *papers)
    collection = catalog.collections.create("many", ids(papers[:10_000]))
    assert collection.papers == 10_000
    assert catalog.papers.allowed_ids(Filters(collections=("many",)), Scope()) == set(ids(papers[:10_000]))
    assert catalog.collections.add(collection.id, ids(papers)) == 500
    assert catalog.collections.remove(collection.id, ids(papers[100:])) == 10_400
    assert catalog.collections.find("many").papers == 100


def test_a_library_without_the_tables_gets_them_and_keeps_its_papers(
    catalog: Catalog, file: Path, reopen: Callable[[], Catalog]
) -> None:
    keep(catalog, FULL)
    catalog.close()
    with closing(sqlite3.connect(file)) as connection:
        for table in ("collections", "members", "tags", "notes"):
            connection.execute(f"DROP TABLE {table}")
    again = reopen()
    again.collections.create("few", [FULL.id])
    assert in_collection(again, "few") == [FULL.id]


def test_a_restored_catalog_has_the_collections_tags_and_notes_of_the_other(catalog: Catalog, tmp_path: Path) -> None:
    keep(catalog, FULL)
    catalog.collections.create("lost")
    with closing(Catalog(tmp_path / "other.db")) as other:
        keep(other, BARE)
        other.collections.create("few", [BARE.id])
        other.annotations.set_tags(BARE.id, ["x"])
        other.annotations.set_note(BARE.id, "y")
        catalog.restore(other)
    catalog.ledger.mark_indexed([BARE])
    assert [each.name for each in catalog.collections.all()] == ["few"]
    assert catalog.annotations.of(BARE.id) == Annotation(("x",), "y", ("few",))

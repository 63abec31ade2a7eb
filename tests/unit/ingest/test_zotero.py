"""Zotero: what its items become, by its local API and from its database, and how changes are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.schema import Paper, Record, Selection
from assistant.settings import Settings
from assistant.storage.library import Library
from assistant.storage.records import SourceCounts
from ingest import pipeline
from ingest.maintenance import removal
from ingest.report import IngestReport
from ingest.zotero.sync import add_zotero
from tests.zotero import SCHEMAS, FakeZotero, ZoteroServer

DANCE = "Honey bees communicate the place of flowers by a waggle dance. We film {} dances and read them by a network."
ICE = "Glaciers lost a third of their ice since 1990. We scan {} of them by laser, and the loss doubles after 2005."
NOWHERE = "http://127.0.0.1:9/api"


class Desk:
    """A Zotero beside a library, which reads it as database or by its API."""

    def __init__(self, zotero: FakeZotero, settings: Settings, library: Library, directory: Path) -> None:
        self.zotero, self.library, self.directory = zotero, library, directory
        self.server: ZoteroServer | None = None
        self._settings = settings

    def sync(self, name: str = "zotero:") -> IngestReport:
        """Read Zotero as it is now."""
        if self.server is None:
            self.zotero.write(self.directory)
        return add_zotero(name, self.settings, self.library)

    @property
    def settings(self) -> Settings:
        url = self.server.url if self.server else NOWHERE
        return self._settings.model_copy(update={"zotero_url": url, "zotero_directory": self.directory})

    def papers(self) -> dict[str, Paper]:
        """Return the papers of the library by title."""
        return {paper.title or "": paper for paper in self.library.catalog.papers.all(Selection())}

    def tags(self, title: str) -> tuple[str, ...]:
        return self.library.catalog.annotations.of(self.papers()[title].id).all_tags

    def collections(self, title: str) -> tuple[str, ...]:
        return self.library.catalog.annotations.of(self.papers()[title].id).collections


# Every version in both ways; `make test` reads the three that differ most.
WAYS = [f"{kind}-{version}" for kind in ("database", "api") for version in SCHEMAS]
QUICK = ("database-9", "api-9", "api-10")


@pytest.fixture(params=[pytest.param(way, marks=[pytest.mark.slow] * (way not in QUICK)) for way in WAYS])
def desk(
    request: pytest.FixtureRequest, settings: Settings, open_library: Callable[[], Library], tmp_path: Path
) -> Iterator[Desk]:
    kind, version = request.param.split("-")
    desk = Desk(FakeZotero(int(version)), settings, open_library(), tmp_path / "Zotero")
    if kind == "database":
        yield desk
        return
    with desk.zotero.serve() as desk.server:
        yield desk


# What items become


def test_an_item_becomes_a_paper_whose_source_selects_it_in_zotero(desk: Desk) -> None:
    key = desk.zotero.add(
        "How bees <i>dance</i>",
        DANCE.format(7),
        authors=[("Ada", "Moss"), ("Bo", "Ant")],
        date="June 2017",
        publicationTitle="Hives",
        DOI="10.5555/bees.1",
        url="https://example.org/bees",
        extra="arXiv:1706.03762 [cs.CL]\nCitation Key: moss2017bees",
    )
    report = desk.sync()
    assert (report.added, report.problems) == (1, [])
    (paper,) = desk.papers().values()
    assert paper.sources == (f"zotero://select/library/items/{key}",)
    assert (paper.title, paper.abstract) == ("How bees dance", DANCE.format(7))
    assert (paper.authors, paper.year, paper.venue) == (("Ada Moss", "Bo Ant"), 2017, "Hives")
    assert (paper.doi, paper.arxiv_id, paper.url) == ("10.5555/bees.1", "1706.03762", "https://example.org/bees")
    assert desk.library.catalog.synced.citation_keys([paper.id]) == {paper.id: "moss2017bees"}


def test_a_library_is_one_source_of_the_library_and_is_deleted_as_one(desk: Desk) -> None:
    lab = desk.zotero.add_group(77, "Bee Lab")
    desk.zotero.add("How bees dance", DANCE.format(7))
    desk.zotero.add("How ice melts", ICE.format(3))
    desk.zotero.add("How bees dance", DANCE.format(7), lab)
    pipeline.ingest_records(
        [Record(ICE.format(3), "How ice melts", source="zotero://select/library/items/ours")], desk.library
    )
    desk.sync()
    records = desk.library.catalog.records
    assert records.sources() == [
        SourceCounts("zotero://select/groups/77", 1, 1, "Bee Lab"),
        SourceCounts("zotero://select/library", 2, 2, "My Library"),
        SourceCounts("zotero://select/library/items/ours", 1, 1),
    ]
    assert records.papers_from("zotero://select/groups/7") == ([], [])
    alone, shared = records.papers_from("zotero://select/groups/77")
    assert (alone, shared) == ([], [desk.papers()["How bees dance"].id])
    removal.remove_source(desk.library, "zotero://select/library")
    assert [source.label for source in records.sources()] == ["Bee Lab", ""]


def test_a_key_that_is_too_long_is_no_key_as_a_part_of_it_would_be_another(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7), extra="Citation Key: " + "b" * 101)
    desk.zotero.add("How ice melts", ICE.format(3), extra="Citation Key: " + "i" * 100)
    desk.sync()
    annotations = desk.library.catalog.annotations
    keys = {title: annotations.of(paper.id).citation_key for title, paper in desk.papers().items()}
    assert keys == {"How bees dance": "", "How ice melts": "i" * 100}


def test_attachments_notes_and_the_trash_are_no_papers(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7))
    desk.zotero.add("A file of mine", itemType="attachment")
    desk.zotero.add("A note of mine", itemType="note")
    desk.zotero.trash(desk.zotero.add("How ice melts", ICE.format(3)))
    desk.sync()
    assert set(desk.papers()) == {"How bees dance"}


def test_an_item_of_a_group_selects_it_in_the_group(desk: Desk) -> None:
    lab = desk.zotero.add_group(77, "Bee Lab")
    key = desk.zotero.add("How bees dance", DANCE.format(7), lab)
    desk.sync()
    assert desk.papers()["How bees dance"].sources == (f"zotero://select/groups/77/items/{key}",)
    assert desk.collections("How bees dance") == ("Bee Lab",)


def test_collections_with_their_parents_and_tags_are_carried_over(desk: Desk) -> None:
    reading = desk.zotero.add_collection("Reading")
    bees = desk.zotero.add_collection("Bees", parent=reading)
    lab = desk.zotero.add_group(77, "Bee Lab")
    desk.zotero.add("How bees dance", DANCE.format(7), tags=["Waggle, dance", "  "], collections=[bees])
    inside = desk.zotero.add_collection("Ice", lab)
    desk.zotero.add("How ice melts", ICE.format(3), lab, tags=["ice"], collections=[inside])
    desk.sync()
    assert desk.collections("How bees dance") == ("My Library", "Reading / Bees")
    assert desk.tags("How bees dance") == ("Waggle, dance",)
    assert desk.collections("How ice melts") == ("Bee Lab", "Bee Lab / Ice")


def test_one_library_can_be_chosen_by_name_or_number(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7))
    desk.zotero.add("How ice melts", ICE.format(3), desk.zotero.add_group(77, "Ice Lab"))
    desk.sync("zotero:ice lab")
    assert set(desk.papers()) == {"How ice melts"}
    desk.sync("zotero:library")
    assert set(desk.papers()) == {"How ice melts", "How bees dance"}
    with pytest.raises(InputError, match="no such library; it has 'My Library', 'Ice Lab'"):
        desk.sync("zotero:Bee Lab")


def test_the_same_paper_from_another_source_is_one_paper(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "bees.bib"
    abstract = f"abstract={{{DANCE.format(7)}}}"
    file.write_text("@article{a, title={How bees dance at night}, author={Moss, Ada}, " + abstract + "}")
    pipeline.ingest([file], desk.library)
    key = desk.zotero.add("How bees dance at night", DANCE.format(7), tags=["dance"])
    assert desk.sync().merged == 1
    assert desk.papers()["How bees dance at night"].sources == ("bees.bib", f"zotero://select/library/items/{key}")
    desk.zotero.trash(key)
    desk.zotero.add("How ice melts", ICE.format(3))
    desk.sync()
    assert desk.papers()["How bees dance at night"].sources == ("bees.bib",)
    assert desk.tags("How bees dance at night") == ()


# What changes between two readings


def test_a_second_reading_changes_nothing(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7), tags=["dance"])
    desk.zotero.add("How ice melts", ICE.format(3))
    assert desk.sync().added == 2
    report = desk.sync()
    assert (report.added, report.updated, report.merged, report.indexed, report.removed) == (0, 0, 0, 0, 0)
    assert report.problems == []


def test_an_abstract_that_is_added_later_is_picked_up(desk: Desk) -> None:
    key = desk.zotero.add("How bees dance at night")
    assert desk.sync().without_abstract == 1
    desk.zotero.edit(key, abstractNote=DANCE.format(7))
    report = desk.sync()
    assert (report.added, report.updated, report.indexed) == (0, 1, 1)
    assert desk.papers()["How bees dance at night"].abstract == DANCE.format(7)


def test_an_edit_that_leaves_nothing_in_common_stays_the_same_paper_with_its_note(desk: Desk) -> None:
    key = desk.zotero.add("Untitled", authors=[])
    desk.sync()
    annotations = desk.library.catalog.annotations
    annotations.set_note(desk.papers()["Untitled"].id, "from Bo")
    former = desk.papers()["Untitled"].id
    desk.zotero.edit(key, title="How bees dance at night", abstractNote=DANCE.format(7))
    desk.sync()
    assert set(desk.papers()) == {"How bees dance at night"}
    paper = desk.papers()["How bees dance at night"]
    assert annotations.of(paper.id).note == "from Bo"
    assert desk.library.catalog.papers.find(former) == paper


def test_deleted_items_leave(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7))
    gone = desk.zotero.add("How ice melts", ICE.format(3))
    desk.sync()
    desk.zotero.trash(gone)
    assert desk.sync().removed == 1
    assert set(desk.papers()) == {"How bees dance"}


def test_tags_that_zotero_changes_follow_and_those_of_a_person_stay(desk: Desk) -> None:
    key = desk.zotero.add("How bees dance", DANCE.format(7), tags=["dance", "old"])
    desk.sync()
    desk.library.catalog.annotations.add_tags(desk.papers()["How bees dance"].id, ["mine"])
    desk.zotero.edit(key, tags=["dance", "new"])
    desk.sync()
    assert desk.tags("How bees dance") == ("mine", "dance", "new")


def test_collections_follow_when_they_are_renamed_left_and_deleted(desk: Desk) -> None:
    reading = desk.zotero.add_collection("Reading")
    other = desk.zotero.add_collection("Other")
    key = desk.zotero.add("How bees dance", DANCE.format(7), collections=[reading, other])
    desk.sync()
    desk.zotero.own.collections[reading]["name"] = "To read"
    desk.sync()
    assert desk.collections("How bees dance") == ("My Library", "Other", "To read")
    desk.zotero.edit(key, collections=[reading])
    desk.sync()
    assert desk.collections("How bees dance") == ("My Library", "To read")
    desk.zotero.drop_collection(reading)
    desk.zotero.drop_collection(other)
    desk.sync()
    assert desk.library.catalog.collections.names() == ["My Library"]


def test_a_collection_of_a_person_with_the_same_name_is_left_alone(desk: Desk) -> None:
    mine = desk.library.catalog.collections.create("Reading")
    desk.zotero.add("How bees dance", DANCE.format(7), collections=[desk.zotero.add_collection("reading")])
    desk.sync()
    assert desk.collections("How bees dance") == ("My Library", "reading (Zotero)")
    assert desk.library.catalog.collections.find(mine.id).papers == 0


def test_a_group_that_disappears_takes_along_what_only_it_had(desk: Desk) -> None:
    lab = desk.zotero.add_group(77, "Bee Lab")
    desk.zotero.add("How bees dance", DANCE.format(7), lab, tags=["lab"])
    desk.zotero.add("How ice melts", ICE.format(3), lab, tags=["lab"])
    desk.zotero.add("How bees dance", DANCE.format(7), tags=["own"])
    desk.sync()
    assert desk.tags("How bees dance") == ("lab", "own")
    del desk.zotero.groups[77]
    report = desk.sync()
    assert [str(problem) for problem in report.problems] == [
        "zotero: Bee Lab is no longer in Zotero: what only it had is removed"
    ]
    assert not report.failed
    assert set(desk.papers()) == {"How bees dance"}
    assert desk.tags("How bees dance") == ("own",)
    assert desk.library.catalog.collections.names() == ["My Library"]
    assert not desk.sync().problems


def test_a_library_that_is_suddenly_empty_loses_nothing(desk: Desk) -> None:
    key = desk.zotero.add("How bees dance", DANCE.format(7))
    desk.sync()
    desk.zotero.trash(key)
    report = desk.sync()
    assert report.failed
    assert "My Library is empty in Zotero" in str(report.problems[0])
    assert set(desk.papers()) == {"How bees dance"}


def test_another_account_changes_nothing(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7))
    desk.sync()
    desk.zotero.account = 4712
    desk.zotero.add("How ice melts", ICE.format(3))
    with pytest.raises(InputError, match="another account"):
        desk.sync()
    assert set(desk.papers()) == {"How bees dance"}


def test_a_paper_that_was_deleted_here_comes_back_with_its_tags(desk: Desk) -> None:
    desk.zotero.add("How bees dance", DANCE.format(7), tags=["dance"])
    desk.sync()
    desk.library.catalog.delete([desk.papers()["How bees dance"].id])
    assert desk.sync().added == 1
    assert desk.tags("How bees dance") == ("dance",)
    assert desk.collections("How bees dance") == ("My Library",)


def test_an_item_without_title_and_abstract_is_reported_and_the_rest_is_read(desk: Desk) -> None:
    desk.zotero.add("", authors=[])
    desk.zotero.add("How bees dance", DANCE.format(7))
    report = desk.sync()
    assert not report.failed
    assert "neither a title nor an abstract" in str(report.problems[0])
    assert set(desk.papers()) == {"How bees dance"}

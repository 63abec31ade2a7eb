"""Ingesting: what is counted, what is kept, and that catalog, store and lexicon never disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from assistant.encodings import EncodedText
from assistant.errors import LibraryWriteError, ModelError
from assistant.schema import Paper
from assistant.storage.library import Library
from ingest import indexing, pipeline
from ingest.report import IngestReport, Progress

ICE = "Glaciers in the Alps lost a third of their ice. We scan 412 of them by laser from the air. " + "Ice melts. " * 12
BEES = "Honey bees tell the place of flowers by a dance. We decode 5,096 dances with a network. " + "Bees dance. " * 12
BREAD = "Sourdough rises by wild yeast and by bacteria. We sequence the starters of 500 bakers. " + "Bread is. " * 12

Give = Callable[[str, str], IngestReport]
Broken = Callable[[], AbstractContextManager[None]]


def pairs(**abstracts: str) -> str:
    """A file of titles and abstracts in turn."""
    return "".join(f"On the Nature of {title}\n{abstract}\n" for title, abstract in abstracts.items())


@pytest.fixture(autouse=True)
def never_apart(library: Library) -> Iterator[None]:
    """After every test of this file, all three hold exactly the same ids of papers with an abstract."""
    yield
    ids = {paper.id for paper in library.catalog.papers.all() if paper.abstract}
    assert library.catalog.ledger.pending_count() == 0
    assert library.store.paper_ids() == library.lexicon.paper_ids() == library.words.paper_ids() == ids


@pytest.fixture
def give(library: Library, tmp_path: Path) -> Give:
    """Writes a file of this name and text and ingests it."""

    def write_and_ingest(name: str, text: str) -> IngestReport:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return pipeline.ingest([file], library)

    return write_and_ingest


@pytest.fixture
def broken_embedder(library: Library, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """In its block the embedder fails, which is to come out as it is."""

    def fail(_: object) -> NoReturn:
        raise ModelError("the embedder broke")

    @contextmanager
    def broken() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(library.embedder, "encode_documents", fail)
            with pytest.raises(ModelError, match="the embedder broke"):
                yield

    return broken


def papers(library: Library) -> dict[str, Paper]:
    return {(paper.title or paper.abstract).split()[-1]: paper for paper in library.catalog.papers.all()}


def nearest(library: Library, text: str) -> str:
    return library.store.search(library.embedder.encode_queries([text])[0].vector, 1)[0].paper_id


def test_new_papers_are_added_and_indexed(give: Give, library: Library) -> None:
    assert give("a.txt", pairs(Ice=ICE, Bees=BEES)) == IngestReport(records=2, added=2, indexed=2)
    assert set(papers(library)) == {"Ice", "Bees"}


def test_the_same_file_again_changes_nothing(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE, Bees=BEES))
    generation, before = library.catalog.ledger.generation, papers(library)
    assert give("a.txt", pairs(Ice=ICE, Bees=BEES)) == IngestReport(records=2, unchanged=2)
    assert (library.catalog.ledger.generation, papers(library)) == (generation, before)


def test_records_in_another_order_change_nothing(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE, Bees=BEES))
    assert give("a.txt", pairs(Bees=BEES, Ice=ICE)) == IngestReport(records=2, unchanged=2)


def test_an_edited_abstract_updates_its_paper_and_the_search(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE, Bees=BEES))
    before = papers(library)
    assert give("a.txt", pairs(Ice=BREAD, Bees=BEES)) == IngestReport(records=2, updated=1, unchanged=1, indexed=1)
    after = papers(library)
    assert after["Ice"].id == before["Ice"].id
    assert after["Ice"].abstract == BREAD.strip()
    assert after["Bees"] == before["Bees"]
    assert nearest(library, BREAD) == after["Ice"].id
    assert [hit.paper_id for hit in library.lexicon.search("sourdough", 5)] == [after["Ice"].id]
    assert library.lexicon.search("glaciers", 5) == []
    assert library.store.search(library.embedder.encode_queries([ICE])[0].vector, 1)[0].score < 0.9


def test_a_slightly_edited_abstract_without_title_updates_its_paper(give: Give, library: Library) -> None:
    give("a.txt", f"Abstract: {ICE}\nAbstract: {BEES}")
    old = nearest(library, ICE)
    report = give("a.txt", f"Abstract: {ICE.replace('third', 'quarter')}\nAbstract: {BEES}")
    assert report == IngestReport(records=2, updated=1, unchanged=1, indexed=1)
    assert library.catalog.papers.find(old).abstract.startswith("Glaciers in the Alps lost a quarter")
    assert library.catalog.papers.count() == 2


def test_an_edit_of_one_of_a_papers_two_records_leaves_the_other(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE) + pairs(Ice=ICE + "So it is."))
    give("a.txt", pairs(Ice=BREAD[:250]) + pairs(Ice=ICE + "So it is."))
    assert papers(library)["Ice"].abstract == ICE + "So it is."


@pytest.mark.parametrize("batch", [1, 256])
def test_a_twin_of_an_edited_record_is_unchanged_however_far_below_it_stands(
    give: Give, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", batch)
    twin = pairs(Ice=ICE + "So it is.")
    give("a.txt", pairs(Ice=ICE) + twin)
    assert give("a.txt", pairs(Ice=BREAD[:250]) + twin) == IngestReport(records=2, updated=1, unchanged=1)


def test_a_record_of_two_files_keeps_both_sources(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE))
    assert give("b.txt", f"Abstract: {ICE}") == IngestReport(records=1, merged=1, indexed=1)
    (paper,) = library.catalog.papers.all()
    assert paper.sources == ("a.txt", "b.txt")
    assert paper.title == "On the Nature of Ice"


def test_a_record_twice_in_one_file_is_one_paper(give: Give, library: Library) -> None:
    report = give("a.txt", pairs(Ice=ICE) + pairs(Ice=ICE) + pairs(Bees=BEES))
    assert (report.records, report.added, report.indexed) == (3, 2, 2)


def test_a_paper_that_joins_two_makes_them_one(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE))
    give("b.txt", f"Abstract: {BREAD}")
    former = {paper.id for paper in library.catalog.papers.all()}
    report = give("c.txt", pairs(Ice=BREAD))
    assert (report.merged, report.indexed) == (1, 1)
    (paper,) = library.catalog.papers.all()
    assert paper.sources == ("a.txt", "b.txt", "c.txt")
    assert {library.catalog.papers.find(former_id) for former_id in former} == {paper}


def test_a_paper_that_vanished_from_its_file_stays(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE, Bees=BEES))
    give("a.txt", pairs(Bees=BEES))
    assert set(papers(library)) == {"Ice", "Bees"}


def test_a_deleted_paper_is_found_no_more_and_can_come_back(give: Give, library: Library) -> None:
    give("a.txt", pairs(Ice=ICE, Bees=BEES))
    before = papers(library)
    library.catalog.delete([before["Ice"].id])
    with library.writing():
        assert indexing.update_indexes(library) == 0
    assert nearest(library, ICE) == before["Bees"].id
    assert library.store.paper_ids() == library.lexicon.paper_ids() == library.words.paper_ids() == {before["Bees"].id}
    assert give("a.txt", pairs(Ice=ICE, Bees=BEES)) == IngestReport(records=2, added=1, unchanged=1, indexed=1)
    assert papers(library) == before


def test_more_papers_than_a_batch_go_in_with_progress(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", 2)
    file = tmp_path / "many.txt"
    file.write_text(
        "".join(f"Abstract: {word} grow in the {word} garden.\n" for word in ("figs", "kale", "oats", "peas", "yams")),
        encoding="utf-8",
    )
    seen: list[Progress] = []
    report = pipeline.ingest([file], library, seen.append)
    assert report == IngestReport(records=5, added=5, indexed=5)
    assert [step for step in seen if step.activity == "records read"] == [
        Progress("records read", done) for done in (2, 4, 5)
    ]
    assert [step for step in seen if step.activity == "papers indexed"] == [
        Progress("papers indexed", done, 5) for done in (0, 2, 2, 4, 4, 5)
    ]


def test_progress_is_told_while_a_batch_is_read(
    give: Give, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "_CHUNKS_PER_REPORT", 1)
    file = tmp_path / "three.txt"
    file.write_text("".join(f"Abstract: {text}\n" for text in (ICE, BEES, BREAD)), encoding="utf-8")
    seen: list[Progress] = []
    pipeline.ingest([file], library, seen.append)
    assert [step.done for step in seen if step.activity == "papers indexed"] == [0, 1, 2, 3]
    assert nearest(library, ICE) != nearest(library, BEES)


def test_each_paper_is_indexed_once_in_a_run_even_if_the_catalog_forgets_to_mark_it(
    give: Give, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", 1)
    with monkeypatch.context() as forgetful:
        forgetful.setattr(library.catalog.ledger, "mark_indexed", lambda _: None)
        assert give("a.txt", pairs(Ice=ICE, Bees=BEES)) == IngestReport(records=2, added=2, indexed=2)
    assert library.catalog.ledger.pending_count() == 2
    assert pipeline.ingest([], library) == IngestReport(indexed=2)


def test_an_embedder_that_fails_leaves_what_was_there_and_the_next_run_completes_it(
    give: Give, library: Library, broken_embedder: Broken
) -> None:
    give("a.txt", pairs(Ice=ICE))
    before = papers(library)
    with broken_embedder():
        give("b.txt", pairs(Bees=BEES))
    assert papers(library) == before
    assert give("b.txt", pairs(Bees=BEES)) == IngestReport(records=1, unchanged=1, indexed=1)
    assert set(papers(library)) == {"Ice", "Bees"}


def test_what_is_being_written_while_the_embedder_fails_goes_in(
    give: Give, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", 1)
    read, calls = library.embedder.encode_documents, count(1)

    def failing_then(texts: Sequence[str]) -> list[EncodedText]:
        if next(calls) == 2:
            raise ModelError("out of memory")
        return read(texts)

    with monkeypatch.context() as second:
        second.setattr(library.embedder, "encode_documents", failing_then)
        with pytest.raises(ModelError, match="out of memory"):
            give("a.txt", pairs(Ice=ICE, Bees=BEES))
    assert (len(library.store.paper_ids()), library.catalog.ledger.pending_count()) == (1, 1)
    assert give("a.txt", pairs(Ice=ICE, Bees=BEES)) == IngestReport(records=2, unchanged=2, indexed=1)


def test_a_batch_that_cannot_be_written_stops_the_run_and_the_next_one_completes_it(
    give: Give, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LibraryWriteError("no room")

    monkeypatch.setattr(indexing, "BATCH_SIZE", 1)
    with monkeypatch.context() as disk:
        disk.setattr(library, "index", full)
        with pytest.raises(LibraryWriteError, match="no room"):
            give("a.txt", pairs(Ice=ICE, Bees=BEES, Bread=BREAD))
    assert library.catalog.ledger.pending_count() == 3
    assert give("a.txt", pairs(Ice=ICE, Bees=BEES, Bread=BREAD)) == IngestReport(records=3, unchanged=3, indexed=3)


def test_an_update_that_was_interrupted_is_completed_without_any_file(
    give: Give, library: Library, broken_embedder: Broken
) -> None:
    give("a.txt", pairs(Ice=ICE))
    with broken_embedder():
        give("a.txt", pairs(Ice=BREAD))
    assert pipeline.ingest([], library) == IngestReport(indexed=1)
    assert [hit.paper_id for hit in library.lexicon.search("sourdough", 5)] == [papers(library)["Ice"].id]


# Papers without an abstract


def bib(**fields: object) -> str:
    """A BibTeX entry of these fields."""
    return "@article{key,\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items()) + "}\n"


TITLE = "On the Nature of Glacier Ice"


def test_a_paper_without_abstract_is_kept_counted_and_not_indexed(give: Give, library: Library) -> None:
    report = give("a.bib", bib(title=TITLE, year=2020) + bib(title="On the Nature of Bees", abstract=BEES))
    assert report == IngestReport(records=2, added=2, without_abstract=1, indexed=1)
    assert {paper.title for paper in library.catalog.papers.all()} == {TITLE, "On the Nature of Bees"}
    assert (library.catalog.papers.count(), library.catalog.papers.count_without_abstract()) == (2, 1)
    assert library.lexicon.search("glacier", 5) == []


def test_a_paper_without_abstract_given_again_changes_nothing(give: Give, library: Library) -> None:
    give("a.bib", bib(title=TITLE))
    generation = library.catalog.ledger.generation
    assert give("a.bib", bib(title=TITLE)) == IngestReport(records=1, unchanged=1, without_abstract=1)
    assert library.catalog.ledger.generation == generation


@pytest.mark.parametrize(
    "fields",
    [
        {"title": TITLE},
        {"title": "Ice", "author": "Alp, Ada", "year": 2020},
        {"title": "Ice", "doi": "10.5555/ice"},
        {"title": "Ice", "eprint": "2203.01234"},
    ],
)
def test_a_paper_is_searched_once_a_later_file_brings_its_abstract(
    fields: dict[str, object], give: Give, library: Library
) -> None:
    give("a.bib", bib(**fields))
    (before,) = library.catalog.papers.all()
    assert give("b.bib", bib(**fields, abstract=ICE)) == IngestReport(records=1, merged=1, indexed=1)
    (after,) = library.catalog.papers.all()
    assert library.catalog.papers.find(before.id) == after
    assert after.sources == ("a.bib", "b.bib")
    assert [hit.paper_id for hit in library.lexicon.search("glaciers", 5)] == [after.id]


def test_a_paper_whose_only_abstract_is_taken_back_leaves_the_indexes(give: Give, library: Library) -> None:
    give("a.bib", bib(title=TITLE, abstract=ICE))
    report = give("a.bib", bib(title=TITLE))
    assert (report.updated, report.without_abstract) == (1, 1)
    assert library.lexicon.search("glaciers", 5) == []
    assert library.catalog.papers.count_without_abstract() == library.catalog.papers.count() == 1


def test_papers_without_abstract_are_one_only_if_title_author_and_year_are(give: Give, library: Library) -> None:
    ada = {"title": "Editorial", "author": "Alp, Ada", "year": 2020}
    give("a.bib", bib(**ada) + bib(**ada | {"year": 2021}) + bib(**ada | {"author": "Berg, Bea"}))
    give("b.bib", bib(**ada))
    assert library.catalog.papers.count() == 3


def test_a_library_of_papers_without_abstracts_opens(give: Give, open_library: Callable[[], Library]) -> None:
    give("a.bib", bib(title=TITLE))
    assert open_library().catalog.papers.count() == 1

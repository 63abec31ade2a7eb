"""Ingesting when something is broken: files, the disk, the process itself. What is whole goes in, nothing is lost."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.errors import LibraryBusy, LibraryError, LibraryWriteError, PaperchatError, RecipeMismatch
from assistant.schema import Paper
from assistant.settings import Settings, load
from assistant.storage.catalog import Catalog
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.index_ledger import IndexLedger
from assistant.storage.lexicon import TantivyLexicon
from assistant.storage.library import Library
from assistant.storage.word_vectors import SqliteWordVectors
from ingest import indexing, pipeline, spool
from ingest.report import IngestReport
from tests.conftest import SEEDS
from tests.fakes import WordHashEmbedder
from tests.libraries import lock
from tests.processes import PROCESSES, exit_code, start

# No paper of the first is in the others.
EARLIER, *LATER = (
    SEEDS / name for name in ("001_20b5fffaab4760ea.txt", "000_917dde31eefbba1f.txt", "004_18424ad33afb765c.txt")
)
DISK_FULL = 3

not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")

Contents = tuple[list[Paper], set[str], set[str], set[str]]
Open = Callable[[], Library]
Give = Callable[[Path], IngestReport]


def contents(library: Library) -> Contents:
    """What the catalog and the indexes hold."""
    return (
        list(library.catalog.papers.all()),
        library.store.paper_ids(),
        library.lexicon.paper_ids(),
        library.words.paper_ids(),
    )


# What other processes do.


def ingest_into(home: Path, *paths: Path) -> None:
    library = factory.open_library(load(home=home), WordHashEmbedder())
    try:
        pipeline.ingest(paths, library)
    finally:
        library.close()


def ingest_and_die(home: Path, owner: Any, method: str, call: int, *paths: Path) -> None:
    """Ingest more seeds in small batches, and be killed upon the given call of a method."""
    indexing.BATCH_SIZE = 5
    calls, real = count(1), getattr(owner, method)

    def die(*arguments: Any) -> Any:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    setattr(owner, method, die)
    ingest_into(home, *paths or LATER)


def fill_the_disk(owner: Any, method: str, room: int) -> None:
    """From the first call of a method on no file takes more bytes than there is room for."""
    import resource

    real = getattr(owner, method)

    def full(*arguments: Any) -> Any:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        return real(*arguments)

    setattr(owner, method, full)


def ingest_until_full(home: Path, owner: Any, method: str) -> None:
    """Ingest more seeds onto a disk that is full from the first call of a method on."""
    fill_the_disk(owner, method, room=1000)
    try:
        ingest_into(home, *LATER)
    except PaperchatError:
        sys.exit(DISK_FULL)


def hold_the_lock(home: Path, locked: Event) -> None:
    with lock(home):
        locked.set()
        signal.pause()


# Files


@pytest.fixture
def give(library: Library, papers_file: Path) -> Give:
    """Ingests a file between two good ones, and sees that these go in."""

    def ingest(file: Path) -> IngestReport:
        first = papers_file.with_name("first.txt")
        first.write_text("Abstract: Volcanoes sleep for centuries.", encoding="utf-8")
        report = pipeline.ingest([first, file, papers_file], library)
        assert library.lexicon.search("volcanoes", 1)
        assert library.lexicon.search("sourdough", 1)
        return report

    return ingest


BROKEN = {
    "empty": (b"", 0, "the file is empty"),
    "blank": (b"\n \n\t", 0, "the file is empty"),
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00\x00", 0, "binary"),
    "without a record": (b"\n\nIt was a dark night.\nAnd stormy.\n", 3, "no record is recognised"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_reported_with_its_line_and_the_others_go_in(kind: str, give: Give, tmp_path: Path) -> None:
    data, line, reason = BROKEN[kind]
    file = tmp_path / "broken.txt"
    file.write_bytes(data)
    report = give(file)
    (problem,) = report.problems
    assert (problem.source, problem.line, problem.lost) == ("broken.txt", line, True)
    assert reason in problem.reason
    assert report.failed
    assert report.added == 4


def test_a_missing_file_is_reported_and_the_others_go_in(give: Give, tmp_path: Path) -> None:
    report = give(tmp_path / "nowhere" / "missing.txt")
    assert [str(problem) for problem in report.problems] == [f"{tmp_path}/nowhere/missing.txt: there is no such file"]
    assert report.failed


def test_an_endless_line_is_reported_and_the_others_go_in(give: Give, tmp_path: Path) -> None:
    file = tmp_path / "endless.txt"
    file.write_bytes(b"word " * 10_000_000)
    (problem,) = give(file).problems
    assert str(problem).startswith("endless.txt:1: a line of more than ")


def test_bytes_of_another_encoding_are_a_warning_and_nothing_is_lost(
    give: Give, library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes("Abstract: Bäume wachsen langsam.\n".encode("cp1252"))
    report = give(file)
    assert [problem.line for problem in report.problems] == [1]
    assert not report.failed
    (hit,) = library.lexicon.search("Bäume", 5)
    assert library.catalog.papers.find(hit.paper_id).abstract == "Bäume wachsen langsam."


@not_as_root
def test_a_file_that_may_not_be_read_is_reported_and_the_others_go_in(give: Give, tmp_path: Path) -> None:
    file = tmp_path / "secret.txt"
    file.touch(mode=0)
    report = give(file)
    assert [problem.reason for problem in report.problems] == ["cannot be read: Permission denied"]
    assert report.failed


# The process


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What the library holds in the end if nothing happens."""
    library = factory.open_library(load(home=tmp_path_factory.mktemp("uninterrupted")), WordHashEmbedder())
    for paths in ([EARLIER], LATER):
        pipeline.ingest(paths, library)
    everything = contents(library)
    library.close()
    return everything


@pytest.fixture
def earlier(open_library: Open) -> list[Paper]:
    """Papers that the library held before the accident."""
    library = open_library()
    pipeline.ingest([EARLIER], library)
    papers = list(library.catalog.papers.all())
    library.close()
    return papers


@pytest.mark.parametrize(
    ("owner", "method", "call"),
    [
        (WordHashEmbedder, "encode_documents", 3),
        (Catalog, "put", 2),
        (ChromaStore, "remove", 2),
        (SqliteWordVectors, "replace", 2),
        (TantivyLexicon, "replace", 2),
        (IndexLedger, "mark_indexed", 2),
    ],
)
def test_a_killed_ingest_is_completed_by_the_next_run(
    owner: Any,
    method: str,
    call: int,
    earlier: list[Paper],
    uninterrupted: Contents,
    settings: Settings,
    open_library: Open,
) -> None:
    assert exit_code(ingest_and_die, settings.home, owner, method, call) == -signal.SIGKILL
    library = open_library()
    assert set(earlier) <= set(library.catalog.papers.all())
    assert contents(library) != uninterrupted
    pipeline.ingest(LATER, library)
    assert contents(library) == uninterrupted
    assert pipeline.ingest(LATER, library) == IngestReport(records=20, unchanged=20)


def test_a_paper_that_is_merged_after_a_killed_ingest_is_held_under_its_new_id_alone(
    settings: Settings, open_library: Open, tmp_path: Path
) -> None:
    untitled, titled = tmp_path / "untitled.txt", tmp_path / "titled.txt"
    abstract = "Volcanoes sleep for centuries before they wake. " * 6
    untitled.write_text(f"Abstract: {abstract}", encoding="utf-8")
    titled.write_text(f"On the Sleep of Volcanoes\n{abstract}", encoding="utf-8")
    assert exit_code(ingest_and_die, settings.home, IndexLedger, "mark_indexed", 1, untitled) == -signal.SIGKILL
    library = open_library()
    pipeline.ingest([titled], library)
    (paper,) = library.catalog.papers.all()
    assert library.store.paper_ids() == library.lexicon.paper_ids() == {paper.id}


def test_a_full_temporary_directory_is_an_error_that_names_it_and_leaves_the_library_as_it_was(
    library: Library, papers_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.ingest([papers_file], library)  # the first one sets nothing aside
    before = contents(library)
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")

    class Full(io.BytesIO):
        def writelines(self, *_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(spool, "TemporaryFile", lambda *_, **__: Full())
        with pytest.raises(LibraryWriteError, match=r"temporary directory .* No space left on device; .* TMPDIR"):
            pipeline.ingest([more], library)
        patched.setattr(spool, "TemporaryFile", lambda *_, **__: Path("/nowhere/at/all").mkdir())
        with pytest.raises(LibraryWriteError, match="temporary directory"):
            pipeline.ingest([more], library)
    assert contents(library) == before
    assert pipeline.ingest([more], library).added == 1


def test_a_second_writer_is_turned_away_until_the_first_has_gone(library: Library, papers_file: Path) -> None:
    locked = PROCESSES.Event()
    writer = start(hold_the_lock, library.home, locked)
    assert locked.wait(60)
    with pytest.raises(LibraryBusy, match=r"another process is writing to the library .* try again"):
        pipeline.ingest([papers_file], library)
    assert library.catalog.papers.count() == 0
    writer.kill()
    writer.join()
    assert pipeline.ingest([papers_file], library).added == 3


def test_an_open_library_finds_what_another_process_ingests(library: Library, papers_file: Path) -> None:
    pipeline.ingest([EARLIER], library)
    question = library.embedder.encode_queries(["honey bees waggle dance flowers"])[0].vector
    assert library.store.search(question, 1)[0].score < 0.5
    assert exit_code(ingest_into, library.home, papers_file) == 0
    (hit,) = library.store.search(question, 1)
    assert library.catalog.papers.find(hit.paper_id).abstract.startswith("Honey bees")
    assert library.lexicon.search("waggle", 5)[0].paper_id == hit.paper_id
    pipeline.ingest(LATER, library)
    assert library.store.search(question, 1) == [hit]


def test_a_writer_keeps_what_another_process_wrote_before(open_library: Open, papers_file: Path) -> None:
    library = open_library()
    pipeline.ingest([EARLIER], library)
    assert exit_code(ingest_into, library.home, papers_file) == 0
    pipeline.ingest(LATER, library)
    library.close()
    again = open_library()
    papers, in_store, in_lexicon, in_words = contents(again)
    assert in_store == in_lexicon == in_words == {paper.id for paper in papers}
    queries = again.embedder.encode_queries([paper.abstract for paper in papers])
    assert {again.store.search(query.vector, 1)[0].paper_id for query in queries} == in_store


# The library's directory


def test_an_index_of_another_embedder_is_refused_until_it_is_made_anew(
    library: Library, papers_file: Path, settings: Settings
) -> None:
    pipeline.ingest([papers_file], library)
    expected = contents(library)
    library.close()
    other_embedder = WordHashEmbedder(dimension=32)
    with pytest.raises(RecipeMismatch, match="paperchat reindex"):
        factory.open_library(settings, other_embedder)
    factory.reset_indexes(settings)
    renewed = factory.open_library(settings, other_embedder)
    with renewed.writing():
        assert indexing.update_indexes(renewed) == 3
    assert contents(renewed) == expected
    renewed.close()


@pytest.mark.parametrize("accident", ["missing", "cut short", "overwritten"])
def test_a_word_index_that_is_lost_is_named_with_its_cure_and_made_anew(
    accident: str, library: Library, papers_file: Path, settings: Settings, open_library: Open
) -> None:
    pipeline.ingest([papers_file], library)
    expected = contents(library)
    library.close()
    file = settings.home / factory.WORD_VECTORS_FILE
    broken = {"missing": None, "cut short": file.read_bytes()[:6000], "overwritten": b"ice " * 5000}[accident]
    file.unlink()
    if broken is not None:
        file.write_bytes(broken)
    with pytest.raises(LibraryError, match="paperchat reindex"):
        open_library()
    factory.reset_indexes(settings)
    renewed = factory.open_library(settings, WordHashEmbedder())
    with renewed.writing():
        indexing.update_indexes(renewed)
    assert contents(renewed) == expected
    renewed.close()


def test_a_library_below_a_regular_file_is_an_error_that_names_it(papers_file: Path) -> None:
    home = papers_file / "home"
    with pytest.raises(LibraryError, match=r"papers\.txt.home"):
        factory.open_library(load(home=home), WordHashEmbedder())
    with pytest.raises(LibraryWriteError, match=r"papers\.txt.home cannot be written"), lock(home):
        pass


@not_as_root
def test_a_directory_that_may_not_be_written_is_an_error_that_names_it(library: Library, papers_file: Path) -> None:
    (library.home / "writer.lock").unlink(missing_ok=True)
    library.home.chmod(0o500)
    try:
        with pytest.raises(LibraryWriteError, match="home cannot be written"):
            pipeline.ingest([papers_file], library)
    finally:
        library.home.chmod(0o700)
    assert pipeline.ingest([papers_file], library).added == 3


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Catalog, "put"),
        (ChromaStore, "replace"),
        (SqliteWordVectors, "replace"),
        (TantivyLexicon, "replace"),
        (IndexLedger, "mark_indexed"),
    ],
)
def test_a_full_disk_is_an_error_and_once_there_is_room_the_next_ingest_completes(
    owner: Any, method: str, earlier: list[Paper], uninterrupted: Contents, settings: Settings, open_library: Open
) -> None:
    assert exit_code(ingest_until_full, settings.home, owner, method) == DISK_FULL
    library = open_library()
    assert list(library.catalog.papers.all()) == earlier
    pipeline.ingest(LATER, library)
    assert contents(library) == uninterrupted

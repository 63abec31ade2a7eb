"""Zotero in bad states: locked, newer, half copied, interrupted, changing, not Zotero; and nothing is written."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.errors import InputError
from assistant.schema import Selection
from assistant.settings import Settings, load
from assistant.storage.library import Library
from ingest import indexing
from ingest.report import IngestReport
from ingest.zotero.citation_keys import citation_keys
from ingest.zotero.sync import add_zotero
from tests.conftest import Paperchat
from tests.fakes import WordHashEmbedder
from tests.processes import MOMENTS, PROCESSES, exit_code, kill_after, start
from tests.zotero import FakeZotero, ZoteroServer

SUBJECTS = "bees ants crows whales glaciers volcanoes lichens rivers comets proteins enzymes corals".split()
NOWHERE = "http://127.0.0.1:9/api"
CURE = "Allow other applications on this computer to communicate with Zotero"


@pytest.fixture
def zotero() -> FakeZotero:
    zotero = FakeZotero()
    for subject in SUBJECTS[:3]:
        zotero.add(**study(subject), tags=["night"])
    return zotero


@pytest.fixture
def directory(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory that the settings name; nothing answers at the address of the API."""
    monkeypatch.setenv("PAPERCHAT_ZOTERO_DIRECTORY", str(tmp_path / "Zotero"))
    monkeypatch.setenv("PAPERCHAT_ZOTERO_URL", NOWHERE)
    return tmp_path / "Zotero"


@pytest.fixture
def server(zotero: FakeZotero, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoteroServer]:
    with zotero.serve() as server:
        monkeypatch.setenv("PAPERCHAT_ZOTERO_URL", server.url)
        yield server


@pytest.fixture
def sync(directory: Path, settings: Settings, open_library: Callable[[], Library]) -> Callable[[], IngestReport]:
    """Return a function that reads Zotero by the settings of the environment."""
    library = open_library()
    return lambda: add_zotero("zotero:", load(home=settings.home), library)


def study(subject: str) -> dict[str, Any]:
    """Return an item with title and abstract; those of two subjects have little in common."""
    words = " ".join(f"{subject}-{letter}" for letter in "abcdefghijkl")
    return {"title": f"A survey of {subject} at night", "abstract": f"We watch {words}. They move."}


def titles(settings: Settings) -> list[str]:
    with closing(factory.open_catalog(settings)) as catalog:
        return sorted(paper.title or "" for paper in catalog.papers.all(Selection()))


def traces(directory: Path) -> dict[str, tuple[str, int]]:
    """Return every file of a directory, with a digest of its bytes and the time of its last change."""
    files = (file for file in directory.rglob("*") if file.is_file())
    return {file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) for file in files}


def hold_locked(file: Path, locked: Synchronized[int]) -> None:
    """Lock a database as a running Zotero does, until the process is killed."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    locked.value = 1
    time.sleep(60)


# Nothing is written


@pytest.mark.parametrize("version", [7, 8, 9, 10])
def test_reading_a_database_leaves_every_byte_and_every_time_as_it_was(
    version: int, zotero: FakeZotero, directory: Path, sync: Callable[[], IngestReport]
) -> None:
    zotero.version = version
    file = zotero.write(directory)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL" if version == 10 else "PRAGMA journal_mode=DELETE")
    os.utime(file, ns=(10**18, 10**18))
    before = traces(directory)
    assert sync().added == 3
    assert sync().unchanged == 3
    assert traces(directory) == before


def test_reading_works_where_the_folder_cannot_be_written(
    zotero: FakeZotero, directory: Path, sync: Callable[[], IngestReport]
) -> None:
    zotero.write(directory).chmod(0o400)
    directory.chmod(0o500)
    assert sync().added == 3
    directory.chmod(0o700)


def test_only_get_is_sent(server: ZoteroServer, sync: Callable[[], IngestReport]) -> None:
    sync()
    sync()
    assert {method for method, _, _ in server.requests} == {"GET"}


def test_a_proxy_of_the_environment_is_not_asked(
    server: ZoteroServer, sync: Callable[[], IngestReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert sync().added == 3


# A database that cannot be relied on


def test_a_locked_database_is_refused_with_the_cure(
    zotero: FakeZotero, directory: Path, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    file, locked = zotero.write(directory), PROCESSES.Value("i", 0)
    process = start(hold_locked, file, locked)
    while not locked.value:
        assert process.is_alive()
        time.sleep(0.01)
    with pytest.raises(InputError, match=f"in use by Zotero.*{CURE}; or close Zotero"):
        sync()
    process.kill()
    process.join()
    assert titles(settings) == []
    assert sync().added == 3


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_database_beside_an_unfinished_journal_is_refused(
    suffix: str, zotero: FakeZotero, directory: Path, sync: Callable[[], IngestReport]
) -> None:
    file = zotero.write(directory)
    file.with_name(file.name + suffix).write_bytes(b"\x00" * 32)
    with pytest.raises(InputError, match=f"not complete without {file.name}{suffix}.*Start Zotero, close it"):
        sync()


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_half_copied_database_is_refused(
    share: float, zotero: FakeZotero, directory: Path, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    file = zotero.write(directory)
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(InputError, match=r"incomplete copy.*copy it again while Zotero is closed"):
        sync()
    assert titles(settings) == []


def test_a_damaged_database_is_refused(
    zotero: FakeZotero, directory: Path, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    file = zotero.write(directory)
    content = bytearray(file.read_bytes())
    content[4096 * 2 :] = os.urandom(len(content) - 4096 * 2)
    file.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        sync()
    assert titles(settings) == []


def test_another_file_is_no_zotero_database(directory: Path, sync: Callable[[], IngestReport]) -> None:
    directory.mkdir()
    (directory / "zotero.sqlite").write_text("dear diary")
    with pytest.raises(InputError, match="is not a Zotero database"):
        sync()
    (directory / "zotero.sqlite").unlink()
    with closing(sqlite3.connect(directory / "zotero.sqlite")) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    with pytest.raises(InputError, match="is not a Zotero database"):
        sync()


@pytest.mark.parametrize(
    ("schema", "number", "reason"),
    [
        ("compatibility", 10, "newer Zotero .compatibility 10, this paperchat reads 9.: upgrade paperchat, or start"),
        ("userdata", 114, "open it once with Zotero 7 or later"),
    ],
)
def test_a_database_of_an_unknown_version_is_refused(
    schema: str, number: int, reason: str, zotero: FakeZotero, directory: Path, sync: Callable[[], IngestReport]
) -> None:
    with closing(sqlite3.connect(zotero.write(directory))) as connection, connection:
        connection.execute("UPDATE version SET version = ? WHERE schema = ?", [number, schema])
    with pytest.raises(InputError, match=reason):
        sync()


def test_without_zotero_and_database_the_cure_is_named(directory: Path, sync: Callable[[], IngestReport]) -> None:
    with pytest.raises(InputError, match=f"does not run, and there is no database in .*{CURE}"):
        sync()


# A server that cannot be relied on


def test_an_api_that_is_switched_off_is_named_with_the_switch(
    server: ZoteroServer, sync: Callable[[], IngestReport]
) -> None:
    server.enabled = False
    with pytest.raises(InputError, match=f"lets no other program read it.*{CURE}"):
        sync()


def test_an_api_that_is_switched_off_gives_way_to_a_database_that_is_free(
    zotero: FakeZotero, directory: Path, server: ZoteroServer, sync: Callable[[], IngestReport]
) -> None:
    server.enabled = False
    zotero.write(directory)
    assert sync().added == 3


def test_a_library_that_changes_while_its_pages_are_read_is_read_again(
    zotero: FakeZotero, server: ZoteroServer, sync: Callable[[], IngestReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.zotero.local_api.PAGE_SIZE", 2)
    first, edits = next(iter(zotero.own.items)), iter([True])

    def interfere(_: str) -> None:
        if len(server.requests) == 6 and next(edits, False):  # between two pages
            zotero.trash(first)

    server.before = interfere
    sync()
    assert len(server.requests) > 6
    server.before = lambda _: None
    assert sync().removed == 0


def test_a_library_that_never_stops_changing_is_given_up(
    zotero: FakeZotero, server: ZoteroServer, sync: Callable[[], IngestReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.zotero.local_api.PAGE_SIZE", 1)

    def interfere(_: str) -> None:
        zotero.add(**study(zotero.key("x")))

    server.before = interfere
    with pytest.raises(InputError, match="changes while it is read"):
        sync()


def test_a_group_that_disappears_while_it_is_read_is_reported_and_the_rest_is_read(
    zotero: FakeZotero, server: ZoteroServer, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    zotero.add(**study("corals"), shelf=zotero.add_group(77, "Coral Lab"))
    sync()
    server.before = lambda path: zotero.groups.clear() if path.startswith("groups/77") else None
    report = sync()
    assert "Coral Lab" in str(report.problems[0])
    assert "A survey of corals at night" in titles(settings)
    server.before = lambda _: None
    assert sync().removed == 1


@pytest.mark.parametrize("version", [9, 10])
def test_a_server_that_is_killed_while_it_is_read_changes_nothing(
    version: int, zotero: FakeZotero, server: ZoteroServer, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    zotero.version = version
    sync()
    zotero.edit(next(iter(zotero.own.items)), title="How they move at noon")

    def vanish(path: str) -> None:
        if path.endswith("collections"):
            raise ConnectionError

    server.before = vanish
    with pytest.raises(InputError):
        sync()
    assert "How they move at noon" not in titles(settings)
    server.before = lambda _: None
    assert sync().updated == 1


# Watermarks


def test_a_zotero_that_counts_edits_is_asked_for_what_has_changed_only(
    zotero: FakeZotero, server: ZoteroServer, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    zotero.version = 10
    sync()
    server.requests.clear()
    keys = list(zotero.own.items)
    zotero.edit(keys[0], title="How they move at noon")
    zotero.trash(keys[1])
    report = sync()
    assert (report.records, report.updated, report.removed) == (1, 1, 1)
    assert ("GET", "users/0/items/top", "3") in {(*request[:2], request[2].get("since")) for request in server.requests}
    assert titles(settings) == ["A survey of crows at night", "How they move at noon"]


@pytest.mark.parametrize("change", ["server_id", "downgrade"])
def test_a_watermark_of_another_server_is_not_used(
    change: str, zotero: FakeZotero, server: ZoteroServer, sync: Callable[[], IngestReport]
) -> None:
    zotero.version = 10
    sync()
    server.requests.clear()
    if change == "server_id":
        zotero.server_id = "instance-2"
    else:
        zotero.own.edits = 1
    assert sync().unchanged == 3
    assert not any("since" in parameters for _, _, parameters in server.requests)


def test_local_edits_of_a_zotero_that_counts_only_synchronized_ones_are_found(
    zotero: FakeZotero, server: ZoteroServer, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    zotero.own.synced = 812
    sync()
    zotero.edit(next(iter(zotero.own.items)), title="How they move at noon")
    assert sync().updated == 1
    assert "How they move at noon" in titles(settings)


# Killed half way


def follow(home: Path, directory: Path) -> None:
    indexing.BATCH_SIZE = 2
    settings = load(home=home, zotero_directory=directory, zotero_url=NOWHERE)
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        add_zotero("zotero:", settings, library)


def follow_timed(home: Path, directory: Path, begun: Synchronized[float], ended: Synchronized[float]) -> None:
    factory.open_library(load(home=home), WordHashEmbedder(), for_repair=True).close()
    begun.value = time.monotonic()
    follow(home, directory)
    ended.value = time.monotonic()


def content(home: Path) -> dict[str, tuple[object, ...]]:
    """Return each paper by title, with its tags and collections, and what the ledger has of its items."""
    with closing(factory.open_library(load(home=home), WordHashEmbedder(), for_repair=True)) as library:
        assert library.compare() == {}
        catalog = library.catalog
        assert catalog.ledger.pending_count() == 0
        return {
            paper.id: (paper, catalog.annotations.of(paper.id), catalog.synced.of_sources(paper.sources))
            for paper in catalog.papers.all(Selection())
        }


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_reading_killed_at_a_random_moment_is_completed_by_the_next_one(moment: int, tmp_path: Path) -> None:
    zotero, directory = FakeZotero(), tmp_path / "Zotero"
    reading = zotero.add_collection("Reading")
    for subject in SUBJECTS:
        zotero.add(**study(subject), tags=["night"], collections=[reading])
    zotero.write(directory)
    begun, ended = PROCESSES.Value("d", 0.0), PROCESSES.Value("d", 0.0)
    start(follow_timed, tmp_path / "whole", directory, begun, ended).join()
    seconds = ended.value - begun.value
    begun.value = 0.0
    process = start(follow_timed, tmp_path / "killed", directory, begun, ended)
    while not begun.value:
        assert process.is_alive()
        time.sleep(0.001)
    time.sleep(kill_after(moment, seconds))
    process.kill()
    process.join()
    assert exit_code(follow, tmp_path / "killed", directory) == 0
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_a_collection_that_was_created_before_a_reading_was_killed_is_used_by_the_next_one(tmp_path: Path) -> None:
    zotero, directory = FakeZotero(), tmp_path / "Zotero"
    reading, again = zotero.add_collection("Reading"), zotero.add_collection("Reading")
    zotero.add(**study("bees"), collections=[reading])
    zotero.add(**study("ants"), collections=[again])
    zotero.write(directory)
    with closing(factory.open_library(load(home=tmp_path / "killed"), WordHashEmbedder())) as library:
        library.catalog.collections.create("Reading")
    assert exit_code(follow, tmp_path / "killed", directory) == exit_code(follow, tmp_path / "whole", directory) == 0
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


# Better BibTeX


def test_citation_keys_come_from_the_database_of_better_bibtex_in_both_of_its_forms(tmp_path: Path) -> None:
    file = tmp_path / "better-bibtex.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE citationkey (itemID, itemKey, libraryID, citationKey, pinned, lastPinned)")
        rows = [(1, "AAAA2222", 1, "moss2017", 0), (2, "BBBB2222", 1, "ant2018", 1), (3, "BBBB2222", 2, "ant2018a", 0)]
        connection.executemany("INSERT INTO citationkey VALUES (?, ?, ?, ?, ?, NULL)", rows)
    before = traces(tmp_path)
    assert citation_keys(tmp_path) == {"AAAA2222": "moss2017"}
    assert traces(tmp_path) == before
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute('CREATE TABLE "better-bibtex" (name TEXT, data TEXT)')
        data = '{"data": [{"itemID": 1, "libraryID": 1, "itemKey": "AAAA2222", "citekey": "moss2017"}]}'
        connection.execute("INSERT INTO \"better-bibtex\" VALUES ('better-bibtex.citekey', ?)", [data])
    assert citation_keys(tmp_path) == {"AAAA2222": "moss2017"}


@pytest.mark.parametrize("damage", [b"", b"dear diary", b"SQLite format 3\x00" + b"\xff" * 200])
def test_papers_come_without_citation_keys_where_those_of_better_bibtex_cannot_be_read(
    damage: bytes, zotero: FakeZotero, directory: Path, sync: Callable[[], IngestReport]
) -> None:
    zotero.write(directory)
    (directory / "better-bibtex.sqlite").write_bytes(damage)
    assert sync().added == 3


def test_items_keep_their_citation_keys_while_better_bibtex_is_busy(
    zotero: FakeZotero, directory: Path, settings: Settings, sync: Callable[[], IngestReport]
) -> None:
    first, *_ = zotero.own.items
    zotero.write(directory)
    file = directory / "better-bibtex.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE citationkey (itemKey, citationKey)")
        connection.execute("INSERT INTO citationkey VALUES (?, 'moss2017')", [first])
    sync()
    (directory / "better-bibtex.sqlite-wal").write_bytes(b"what Better BibTeX is writing")
    zotero.edit(first, date="2018")
    zotero.write(directory)
    assert sync().updated == 1
    with closing(factory.open_catalog(settings)) as catalog:
        (paper_id,) = catalog.synced.papers_cited_as("moss2017")
        assert catalog.papers.get([paper_id])[0].year == 2018


# The command


def test_the_command_follows_zotero_and_says_what_it_did(
    zotero: FakeZotero, paperchat: Paperchat, directory: Path
) -> None:
    zotero.write(directory)
    done = paperchat("add", "zotero:")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("3 records read: 3 papers added")
    zotero.trash(next(iter(zotero.own.items)))
    zotero.write(directory)
    assert "2 unchanged, 0 skipped, 1 papers removed." in paperchat("add", "zotero:").out
    assert len(paperchat("list", 'collection:"My Library" tag:night', "--json").json) == 2


def test_the_command_names_the_cure_of_a_locked_database(
    zotero: FakeZotero, paperchat: Paperchat, directory: Path
) -> None:
    file = zotero.write(directory)
    os.truncate(file, 5000)
    done = paperchat("add", "zotero:")
    assert done.code == 1
    assert "copy it again while Zotero is closed" in done.err
    assert "Traceback" not in done.err


def test_a_link_of_another_scheme_or_form_is_no_link_of_zotero() -> None:
    from assistant.text.links import zotero_link

    assert zotero_link("zotero://select/library/items/ABCD2345") is not None
    for wrong in (
        "javascript:alert(1)",
        "zotero://select/library/items/abcd2345",
        'zotero://select/library/items/ABCD234"',
        "zotero://open-pdf/library/items/ABCD2345",
        "zotero://select/library/items/ABCD2345\n",
        "zotero://select/groups/x/items/ABCD2345",
    ):
        assert zotero_link(wrong) is None

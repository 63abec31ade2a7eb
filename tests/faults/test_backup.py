"""A library in one file: taken at any moment, and put back whole or not at all."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.encodings import EncodedText
from assistant.errors import InputError, LibraryBusy
from assistant.settings import Settings, load
from assistant.storage.catalog import Catalog
from assistant.storage.index_ledger import IndexLedger
from ingest import indexing, pipeline
from ingest.maintenance import backup
from ingest.report import Progress
from tests.conftest import BEES, SEEDS, Paperchat
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.libraries import lock
from tests.processes import PROCESSES, start

pytestmark = pytest.mark.slow

# Enough papers for an ingest that lasts a while.
PATHS = [SEEDS / "000_917dde31eefbba1f.txt", SEEDS / "004_18424ad33afb765c.txt"]


class UnusedEmbedder(WordHashEmbedder):
    """Knows what it is called, and is never to read a paper."""

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        raise AssertionError(f"embedded again: {texts}")


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())


def content(settings: Settings) -> Everything:
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        assert library.compare() == {}
        return everything(library)


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    """Settings of another library, which is empty."""
    return settings.model_copy(update={"home": tmp_path / "elsewhere"})


@pytest.fixture
def saved(filled: Paperchat, tmp_path: Path) -> Path:
    """A backup of the three papers and a conversation about them."""
    assert filled("ask", BEES).code == 0
    assert filled("backup", tmp_path / "saved.zip").code == 0
    return tmp_path / "saved.zip"


def test_a_restored_library_is_the_very_same_and_nothing_is_embedded_again(
    saved: Path, settings: Settings, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: UnusedEmbedder())
    reports: list[Progress] = []
    assert backup.restore(elsewhere, saved, reports.append) == 3
    assert reports == [Progress("papers indexed", 3, 3)]
    assert content(elsewhere) == content(settings)
    with closing(factory.open_conversations(elsewhere)) as conversations:
        (conversation,) = conversations.recent()
        assert conversations.turns(conversation.id)[0].turn.question == BEES


def test_a_backup_takes_the_place_of_what_is_there_once_that_is_confirmed(
    saved: Path, filled: Paperchat, settings: Settings, tmp_path: Path
) -> None:
    before = content(settings)
    ice = tmp_path / "ice.txt"
    ice.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    filled("ingest", ice)
    filled("delete", "--filter", "bees", "--yes")
    changed = content(settings)
    refused = filled("restore", saved, stdin="n\n")
    assert refused.code == 1
    assert "3 papers of " in refused.err
    assert content(settings) == changed
    assert filled("restore", saved, "--yes").out == "3 papers restored.\n"
    assert content(settings) == before
    assert "4 degrees" in filled("ask", "-c", "And with what error does the network read the direction of a dance?").out


def test_a_running_reader_sees_the_restored_library(saved: Path, elsewhere: Settings) -> None:
    with closing(factory.open_library(elsewhere, WordHashEmbedder())) as reader:
        question = reader.embedder.encode_queries([BEES])[0].vector
        assert reader.store.search(question, 1) == []
        restoring = start(restore_elsewhere, elsewhere.home, saved)
        restoring.join(60)
        assert restoring.exitcode == 0
        (hit,) = reader.store.search(question, 1)
        assert reader.catalog.papers.find(hit.paper_id).abstract.startswith("Honey bees")
        assert reader.lexicon.search("waggle", 1)[0].paper_id == hit.paper_id


def restore_elsewhere(home: Path, file: Path) -> None:
    setattr(factory, "open_embedder", lambda _: WordHashEmbedder())  # noqa: B010
    backup.restore(load(home=home), file)


def test_readings_of_another_recipe_are_made_anew(
    saved: Path, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder(dimension=32))
    assert backup.restore(elsewhere, saved) == 3
    with closing(factory.open_library(elsewhere, WordHashEmbedder(dimension=32))) as library:
        assert {matrix.shape[1] for matrix in library.store.vectors(library.store.paper_ids()).values()} == {32}


def test_a_damaged_catalog_is_replaced_and_kept_beside_it(saved: Path, settings: Settings) -> None:
    before = content(settings)
    for suffix in ("-wal", "-shm"):
        (settings.home / f"catalog.db{suffix}").unlink(missing_ok=True)
    (settings.home / "catalog.db").write_bytes(b"no database" * 100)
    assert backup.restore(settings, saved) == 3
    assert content(settings) == before
    assert (settings.home / "catalog.db.damaged").read_bytes().startswith(b"no database")


# While others work


def ingest_slowly(home: Path, begun: Event, saved: Event) -> None:
    """Ingest a paper at a time, telling when the first is indexed; the last one waits until the backups are saved."""

    def follow(progress: Progress) -> None:
        if progress.total and progress.done:
            begun.set()
        if progress.done == progress.total:
            saved.wait(120)

    indexing.BATCH_SIZE = 1
    library = factory.open_library(load(home=home), WordHashEmbedder())
    pipeline.ingest(PATHS, library, follow)
    library.close()


def test_backups_taken_during_an_ingest_are_whole_and_hold_what_was_there_at_one_moment(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    begun, saved = PROCESSES.Event(), PROCESSES.Event()
    ingesting = start(ingest_slowly, settings.home, begun, saved)
    assert begun.wait(60)
    files = [tmp_path / f"{number}.zip" for number in range(2)]
    shown = [backup.backup(settings, file).papers for file in files]
    assert ingesting.is_alive(), "the backups were to be taken meanwhile"
    saved.set()
    ingesting.join(120)
    assert ingesting.exitcode == 0
    assert shown == sorted(shown)
    ingested = set(content(settings).papers)
    for file in files:
        backup.restore(elsewhere, file)
        restored = content(elsewhere)
        assert set(restored.papers) <= ingested
        assert not restored.waiting


def test_a_restore_is_refused_while_another_writes(saved: Path, settings: Settings) -> None:
    before = content(settings)
    with lock(settings.home), pytest.raises(LibraryBusy):
        backup.restore(settings, saved)
    assert content(settings) == before


def restore_and_die(home: Path, file: Path, owner: type, method: str) -> None:
    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, method, die)
    restore_elsewhere(home, file)


@pytest.mark.parametrize(
    ("owner", "method"),
    [(Catalog, "restore"), (IndexLedger, "clear"), (IndexLedger, "announce"), (IndexLedger, "mark_indexed")],
)
def test_a_killed_restore_leaves_one_of_the_two_libraries_and_the_next_ingest_completes_it(
    owner: type, method: str, saved: Path, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    ice = tmp_path / "ice.txt"
    ice.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    with closing(factory.open_library(elsewhere, WordHashEmbedder())) as library:
        pipeline.ingest([ice], library)
    earlier = content(elsewhere)
    dying = start(restore_and_die, elsewhere.home, saved, owner, method)
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    with closing(factory.open_library(elsewhere, WordHashEmbedder(), for_repair=True)) as library, library.writing():
        indexing.update_indexes(library)
    assert content(elsewhere) == (earlier if method == "restore" else content(settings))


# Files that are no backup, or not the whole of it


def rewritten(saved: Path, target: Path, **changed: bytes | None) -> Path:
    """The backup with other members; None leaves one out."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(target, "w") as new:
        members: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
        for name, data in (members | changed).items():
            if data is not None:
                new.writestr(name, data)
    return target


def hostile(saved: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Files made of a good one, by what is wrong with them."""
    data = saved.read_bytes()
    for share in (0, 0.1, 0.5, 0.9, 0.999):
        yield f"cut to {share}", _written(folder / f"cut{share}", data[: int(len(data) * share)])
    shuffled = bytearray(data)
    random.Random(1).shuffle(shuffled)  # noqa: S311
    yield "shuffled", _written(folder / "shuffled", bytes(shuffled))
    with zipfile.ZipFile(saved) as archive:
        # In the middle: at the beginning are zeros, which a changed byte may compress in another way.
        member = archive.getinfo("catalog.db")
        offset = member.header_offset + member.compress_size // 2
    yield (
        "one byte changed",
        _written(folder / "changed", data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]),
    )
    yield "text", _written(folder / "text", b"dear diary")
    for name in ("../evil.db", "/etc/evil", "store/../../evil", "notes.txt", "C:\\evil"):
        yield name, rewritten(saved, folder / f"member{len(name)}", **{name: b"evil"})
    yield "no catalog", rewritten(saved, folder / "none", **{"catalog.db": None})
    yield "a catalog that is none", rewritten(saved, folder / "other", **{"catalog.db": b"no database" * 100})
    cut = zipfile.ZipFile(saved).read("catalog.db")[:9000]
    yield "a cut catalog", rewritten(saved, folder / "cutdb", **{"catalog.db": cut})
    yield "odd conversations", rewritten(saved, folder / "talks", **{"conversations.db": b"no database" * 100})
    for manifest in (
        b"{}",
        b"[]",
        b"",
        b"\xff",
        b'{"format": "other"}',
        b'{"format": "paperchat backup", "version": 99}',
    ):
        yield (
            f"manifest {manifest!r}",
            rewritten(saved, folder / f"manifest{len(manifest)}", **{"manifest.json": manifest}),
        )
    yield "a folder", folder
    yield "nothing there", folder / "nowhere"


def _written(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def test_a_wrong_or_cut_file_is_one_error_that_names_it_and_leaves_the_library_as_it_was(
    saved: Path, settings: Settings, tmp_path: Path
) -> None:
    before, folder = content(settings), tmp_path / "hostile"
    folder.mkdir()
    for what, file in hostile(saved, folder):
        with pytest.raises(InputError) as caught:
            backup.restore(settings, file)
        assert str(caught.value).startswith(f"{file}: "), what
    assert content(settings) == before
    assert [entry.name for entry in settings.home.iterdir() if entry.name.startswith(".")] == []
    assert list(tmp_path.rglob("*evil*")) == []


def test_a_file_that_cannot_be_restored_is_one_line(saved: Path, filled: Paperchat) -> None:
    saved.write_bytes(saved.read_bytes()[:500])
    done = filled("restore", saved, "--yes")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"paperchat: {saved}: is not a backup of paperchat, or is cut short or damaged\n"


def test_what_is_not_in_the_tables_of_an_archive_does_not_get_into_the_library(
    saved: Path, elsewhere: Settings, tmp_path: Path
) -> None:
    trap = tmp_path / "trap.db"
    with zipfile.ZipFile(saved) as archive:
        trap.write_bytes(archive.read("catalog.db"))
    with closing(sqlite3.connect(trap)) as database, database:
        database.execute("CREATE TRIGGER evil AFTER DELETE ON papers BEGIN DELETE FROM records; END")
    file = rewritten(saved, tmp_path / "trapped.zip", **{"catalog.db": trap.read_bytes()})
    assert backup.restore(elsewhere, file) == 3
    with closing(sqlite3.connect(elsewhere.home / "catalog.db")) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone() == (0,)


def test_readings_that_do_not_fit_are_made_anew(
    saved: Path, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    readings = tmp_path / "readings.db"
    with zipfile.ZipFile(saved) as archive:
        readings.write_bytes(archive.read("readings.db"))
    with closing(sqlite3.connect(readings)) as database, database:
        first, second, _ = [row[0] for row in database.execute("SELECT paper FROM readings ORDER BY paper")]
        database.execute("UPDATE readings SET vectors = 'text' WHERE paper = ?", [first])
        database.execute("UPDATE readings SET signs = x'00' WHERE paper = ?", [second])
    file = rewritten(saved, tmp_path / "odd.zip", **{"readings.db": readings.read_bytes()})
    backup.restore(elsewhere, file)
    assert content(elsewhere) == content(settings)


def test_a_bomb_is_refused_before_anything_is_unpacked(
    saved: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(settings)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(InputError, match="bytes to be unpacked"):
        backup.restore(settings, saved)
    assert content(settings) == before


# The file that is written


def test_a_file_that_is_there_stays_unless_it_may_be_overwritten(saved: Path, filled: Paperchat) -> None:
    before = saved.read_bytes()
    assert "--force" in filled("backup", saved).err
    assert saved.read_bytes() == before
    assert filled("backup", saved, "--force").code == 0
    with zipfile.ZipFile(saved) as archive:
        assert json.loads(archive.read("manifest.json"))["papers"] == 3


def backup_without_room(home: Path, file: Path) -> None:
    """Write a backup onto a disk that is full once everything for it has been put together."""
    import resource

    pack = backup._pack

    def full(*arguments: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        pack(*arguments)

    setattr(backup, "_pack", full)  # noqa: B010
    try:
        backup.backup(load(home=home), file)
    except InputError as error:
        os._exit(3 if str(error).startswith(f"{file}: cannot be written") else 4)


def test_a_backup_for_which_there_is_no_room_is_an_error_and_leaves_no_piece_of_it(
    filled: Paperchat, settings: Settings, tmp_path: Path
) -> None:
    assert filled("status").code == 0
    target = tmp_path / "target"
    target.mkdir()
    writing = start(backup_without_room, settings.home, target / "full.zip")
    writing.join(60)
    assert writing.exitcode == 3
    assert list(target.iterdir()) == []


def test_an_empty_library_can_be_saved_and_put_back(paperchat: Paperchat, tmp_path: Path) -> None:
    assert paperchat("backup", tmp_path / "empty.zip").code == 0
    assert paperchat("restore", tmp_path / "empty.zip", "--yes").out == "0 papers restored.\n"


def test_a_backup_into_a_folder_that_is_not_there_is_one_line(filled: Paperchat, tmp_path: Path) -> None:
    done = filled("backup", tmp_path / "nowhere" / "file.zip")
    assert (done.code, done.out) == (1, "")
    assert "cannot be written: No such file or directory" in done.err

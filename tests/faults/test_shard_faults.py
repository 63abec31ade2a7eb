"""A library over several shards of which one fails: it is told, nothing is lost, and the next run repairs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant import factory
from assistant.errors import LibraryError, LibraryWriteError, StoreUnavailable
from assistant.settings import Settings
from ingest import pipeline
from ingest.maintenance.repair import repair
from tests.chromas import ChromaProcess
from tests.conftest import BEES, SEEDS, Paperchat
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.fronts import Front, Visitor, before, forward, pass_on

pytestmark = pytest.mark.slow

PATH = SEEDS / "004_18424ad33afb765c.txt"
SHARDS = 4


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.fixture
def front(server: ChromaProcess) -> Iterator[Front]:
    with before(server) as standing:
        yield standing


@pytest.fixture
def sharded(settings: Settings, front: Front) -> Settings:
    """Settings of a library over several shards, by the front of the server."""
    return settings.model_copy(update={"store": front.address, "store_shards": SHARDS})


def whole(tmp_path: Path) -> Everything:
    """What a library holds that nothing happened to."""
    with closing(factory.open_library(Settings(home=tmp_path / "whole"), WordHashEmbedder())) as library:
        pipeline.ingest([PATH], library)
        return everything(library)


def content(settings: Settings) -> Everything:
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        assert library.compare() == {}
        return everything(library)


class OneWrite:
    """Lets the first shard be written, and then does something to the others."""

    def __init__(self, then: Callable[[Visitor], None]) -> None:
        self._then, self._lock = then, threading.Lock()
        self.written: list[str] = []

    def __call__(self, visitor: Visitor) -> None:
        if not visitor.path.endswith("/upsert"):
            pass_on(visitor)
            return
        with self._lock:  # the shards are written at once
            if self.written:
                visitor.content()
                self._then(visitor)
            else:
                pass_on(visitor)
                self.written.append(visitor.path)


def kills_the_server(visitor: Visitor) -> None:
    visitor.server.behind.kill()
    visitor.connection.close()


def has_no_room(visitor: Visitor) -> None:
    visitor.answer(503, b"")


@pytest.mark.parametrize("then", [kills_the_server, has_no_room])
def test_a_server_that_fails_between_the_writes_of_two_shards_is_repaired_by_the_next_ingest(
    then: Callable[[Visitor], None], sharded: Settings, front: Front, server: ChromaProcess, tmp_path: Path
) -> None:
    with closing(factory.open_library(sharded)) as library:
        front.instead = OneWrite(then)
        with pytest.raises(LibraryWriteError, match=rf"store on the Chroma server {front.address} cannot be written"):
            pipeline.ingest([PATH], library)
        assert len(front.instead.written) == 1
        front.instead = None
        server.stop()
        server.start()
        written = library.store.paper_ids()
        pipeline.ingest([PATH], library)
        assert set() < written < library.store.paper_ids()
        assert library.compare() == {}
    assert content(sharded) == whole(tmp_path)


def test_one_shard_that_cannot_be_asked_fails_the_search_and_not_its_result(sharded: Settings, front: Front) -> None:
    with closing(factory.open_library(sharded)) as library:
        pipeline.ingest([PATH], library)
        queried: list[str] = []

        def one_is_away(visitor: Visitor) -> None:
            body = visitor.content()
            if visitor.path.endswith("/query"):
                queried.append(visitor.path)
                if visitor.path == min(queried):
                    visitor.answer(503, b"")
                    return
            forward(visitor, body)

        assistant = factory.open_assistant(sharded, library)
        expected = [hit.paper.id for hit in assistant.search(BEES).hits]
        front.instead = one_is_away
        with pytest.raises(StoreUnavailable, match="answers 503 Service Unavailable"):
            assistant.search(BEES)
        front.instead = None
        assert [hit.paper.id for hit in assistant.search(BEES).hits] == expected


def test_a_shard_deleted_behind_our_back_is_told_by_every_verb_and_repaired(
    paperchat: Paperchat, sharded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_STORE", str(sharded.store))
    monkeypatch.setenv("PAPERCHAT_STORE_SHARDS", str(SHARDS))
    assert paperchat("ingest", PATH).code == 0
    with closing(factory.open_catalog(sharded)) as catalog:
        location = factory.store_location(sharded, catalog)
    with closing(factory.open_library(sharded)) as library:
        with closing(location.connect()) as client:
            client.delete_collection(f"{location.collection}-2")
        with pytest.raises(LibraryError, match=r"shard 2 of the store .* cannot be read: .*paperchat reindex"):
            factory.open_assistant(sharded, library).search(BEES)
    for verb in (("ask", BEES), ("search", BEES), ("ingest", PATH)):
        done = paperchat(*verb)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1), verb
        assert f"shard 2 of the store on the Chroma server {sharded.store} cannot be opened" in done.err
        assert "run: paperchat reindex" in done.err
    (problem,) = paperchat("doctor", "--json").json["problems"]
    assert "shard 2 of the store" in problem
    repair(sharded)
    assert content(sharded) == whole(tmp_path)


def test_reindex_applies_another_number_of_shards_and_status_and_doctor_tell_it(
    paperchat: Paperchat, sharded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_STORE", str(sharded.store))
    monkeypatch.setenv("PAPERCHAT_STORE_SHARDS", str(SHARDS))
    assert paperchat("status", "--json").json["shards"] is None
    assert paperchat("ingest", PATH).code == 0
    assert f", {SHARDS} shards\n" in paperchat("status").out
    assert paperchat("doctor", "--json").json["shards"] == SHARDS
    monkeypatch.setenv("PAPERCHAT_STORE_SHARDS", "2")
    told = f"the vectors are in {SHARDS} shards, and store_shards is 2: paperchat reindex applies it"
    assert f", {SHARDS} shards ({told})" in paperchat("status").out
    assert told in paperchat("doctor", "--json").json["notes"]
    assert paperchat("search", BEES).code == 0
    assert paperchat("reindex").code == 0
    status = paperchat("status", "--json").json
    assert (status["shards"], status["shards_wanted"]) == (2, 2)
    assert [note for note in paperchat("doctor", "--json").json["notes"] if "shards" in note] == []
    assert content(sharded) == whole(tmp_path)

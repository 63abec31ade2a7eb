"""A library whose vectors are on a real Chroma server: the very same library as one in a folder, by every verb."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from assistant import factory
from assistant.encodings import EncodedText
from assistant.errors import LibraryError, RecipeMismatch
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import indexing, pipeline
from ingest.maintenance import backup
from ingest.maintenance.repair import repair
from tests.chromas import ChromaProcess
from tests.conftest import BEES, ROOT, SEEDS, Paperchat
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.faults.test_repair import ACCIDENTS

pytestmark = pytest.mark.slow

PATH = SEEDS / "004_18424ad33afb765c.txt"


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.fixture(params=[1, 3], ids=["one collection", "three shards"])
def served(
    request: pytest.FixtureRequest, settings: Settings, chroma_server: ChromaProcess, tmp_path: Path
) -> Settings:
    """Settings of a library on the server; `settings` are those of another one, in a folder."""
    on_server = {"store": chroma_server.address, "store_shards": request.param}
    return settings.model_copy(update={"home": tmp_path / "served"} | on_server)


@pytest.fixture
def on_server(paperchat: Paperchat, served: Settings, monkeypatch: pytest.MonkeyPatch, papers_file: Path) -> Paperchat:
    """The command over a library of the three papers on the server."""
    monkeypatch.setenv("PAPERCHAT_HOME", str(served.home))
    monkeypatch.setenv("PAPERCHAT_STORE", str(served.store))
    monkeypatch.setenv("PAPERCHAT_STORE_SHARDS", str(served.store_shards))
    assert paperchat("ingest", papers_file).code == 0
    return paperchat


def fill(settings: Settings, *paths: Path) -> Everything:
    """Ingest, and say what the library then holds."""
    with closing(factory.open_library(settings, WordHashEmbedder())) as library:
        pipeline.ingest(paths, library)
        return everything(library)


def content(settings: Settings) -> Everything:
    with closing(factory.open_library(settings, WordHashEmbedder())) as library:
        assert library.compare() == {}
        return everything(library)


def test_a_library_on_a_server_holds_what_one_in_a_folder_holds(settings: Settings, served: Settings) -> None:
    assert fill(served, PATH) == fill(settings, PATH)
    assert fill(served, PATH) == content(settings)
    assert not (served.home / factory.STORE_FOLDER).exists()


def test_an_answer_is_the_same_and_does_not_say_where_the_vectors_are(
    on_server: Paperchat, settings: Settings, served: Settings, papers_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_STORE_TOKEN", "hunter2")
    theirs = on_server("ask", BEES, "--json")
    fill(settings, papers_file)
    monkeypatch.setenv("PAPERCHAT_HOME", str(settings.home))
    monkeypatch.delenv("PAPERCHAT_STORE")
    ours = on_server("ask", BEES, "--json")
    assert (theirs.code, theirs.err) == (0, "")
    for name in ("text", "citations", "recipe", "strength"):
        assert theirs.json[name] == ours.json[name]
    with closing(factory.open_conversations(served)) as kept:
        (turn,) = kept.turns(kept.latest().id)
    assert not [text for text in (theirs.out, json.dumps(turn.settings)) if "127.0.0.1" in text or "hunter2" in text]


def test_papers_are_found_within_filters_and_are_gone_once_deleted(on_server: Paperchat) -> None:
    found = on_server("search", BEES, "--json").json["hits"]
    first = found[0]["paper"]
    assert "waggle" in first["abstract"]
    assert on_server("search", BEES, "--pin", first["id"], "--json").json["hits"][0]["paper"] == first
    assert on_server("delete", first["id"]).code == 0
    assert first["id"] not in [hit["paper"]["id"] for hit in on_server("search", BEES, "--json").json["hits"]]
    assert on_server("doctor").out.splitlines()[-1] == "All is well."


def test_status_and_doctor_say_where_the_vectors_are_and_never_the_token(
    on_server: Paperchat, served: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_STORE_TOKEN", "hunter2")
    with closing(factory.open_catalog(served)) as catalog:
        name = f"paperchat-{catalog.library_id:016x}"
    status, doctor = on_server("status"), on_server("doctor", "--json")
    assert f"{served.store}, collection {name}" in status.out
    assert on_server("status", "--json").json["recipe"]["embedder"] == "word-hash"
    assert (doctor.code, doctor.json["settings"]["store"]) == (0, served.store)
    assert "hunter2" not in status.out + doctor.out


def test_two_libraries_on_one_server_know_nothing_of_each_other(on_server: Paperchat, tmp_path: Path) -> None:
    other = tmp_path / "ice.txt"
    other.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    assert on_server("--library", "ice", "ingest", other).code == 0
    assert len(on_server("--library", "ice", "search", BEES, "--json").json["hits"]) == 1
    assert len(on_server("search", BEES, "--json").json["hits"]) == 3
    assert on_server("--library", "ice", "reindex").out == "1 papers indexed.\n"
    for library in ("", "ice"):
        options = ["--library", library] if library else []
        assert on_server(*options, "doctor").out.splitlines()[-1] == "All is well."


def test_another_embedder_is_refused_until_the_library_is_indexed_with_it(
    served: Settings, papers_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(served, papers_file)
    with pytest.raises(RecipeMismatch, match=r"dimension 64 -> 32.*paperchat reindex"):
        factory.open_library(served, WordHashEmbedder(dimension=32))
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder(dimension=32))
    factory.reset_indexes(served)
    with closing(factory.open_library(served)) as library, library.writing():
        assert indexing.update_indexes(library) == 3
        assert library.compare() == {}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_disagreement_with_the_server_is_mended_to_the_very_same_library(
    accident: Callable[[Library], None], served: Settings, papers_file: Path
) -> None:
    whole = fill(served, papers_file)
    with closing(factory.open_library(served, WordHashEmbedder())) as library:
        accident(library)
    repair(served)
    assert content(served) == whole


def test_a_collection_that_is_gone_from_the_server_is_told_and_built_anew(served: Settings, papers_file: Path) -> None:
    whole = fill(served, papers_file)
    with closing(factory.open_catalog(served)) as catalog:
        factory.store_location(served, catalog).wipe()
    with pytest.raises(LibraryError, match=r"are empty.*paperchat reindex"):
        factory.open_library(served, WordHashEmbedder())
    assert repair(served) == 3
    assert content(served) == whole


def test_a_store_that_was_left_behind_is_refused_until_it_is_built_anew(
    settings: Settings, chroma_server: ChromaProcess, papers_file: Path, tmp_path: Path
) -> None:
    served = settings.model_copy(update={"store": chroma_server.address})
    fill(settings, papers_file)
    with pytest.raises(LibraryError, match=r"are empty.*paperchat reindex"):
        factory.open_library(served, WordHashEmbedder())
    fill(settings)  # a look at the server has changed nothing
    factory.reset_indexes(served)
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    now = fill(served, more)
    assert len(now.vectors) == 4
    with pytest.raises(LibraryError, match=r"store in .* is not the one .*paperchat reindex"):
        factory.open_library(settings, WordHashEmbedder())
    with pytest.raises(LibraryError, match="is not the one"):
        backup.backup(settings, tmp_path / "saved.zip")
    assert repair(settings) == 4
    assert content(settings) == now


class UnusedEmbedder(WordHashEmbedder):
    """Knows what it is called, and is never to read a paper."""

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        raise AssertionError(f"embedded again: {texts}")


@pytest.mark.parametrize("to", ["server", "folder"])
def test_a_library_moves_to_a_server_and_back_by_a_backup_and_nothing_is_embedded_again(
    to: str, settings: Settings, served: Settings, papers_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = (settings, served) if to == "server" else (served, settings)
    whole = fill(before, papers_file)
    backup.backup(before, tmp_path / "saved.zip")
    after.home.mkdir()
    monkeypatch.setattr(factory, "open_embedder", lambda _: UnusedEmbedder())
    assert backup.restore(after, tmp_path / "saved.zip") == 3
    assert content(after) == whole
    assert content(before) == whole


WATCHED = """
import sys
from pathlib import Path
asked = set()
def look(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        asked.add(arguments[1][:2])
    if event == "socket.getaddrinfo":
        asked.add(tuple(arguments[:2]))
sys.addaudithook(look)
from assistant import factory
from assistant.settings import load
from ingest import pipeline
from tests.fakes import WordHashEmbedder
settings = load(home=Path(sys.argv[1]), store=sys.argv[2])
factory.restrict_network_access(settings)
library = factory.open_library(settings, WordHashEmbedder())
pipeline.ingest([Path(sys.argv[3])], library)
assert len(factory.open_assistant(settings, library).search("How do bees dance?").hits) == 3
print(sorted(asked))
"""


def test_nothing_but_the_server_that_is_named_is_asked(
    chroma_server: ChromaProcess, papers_file: Path, tmp_path: Path
) -> None:
    arguments = [str(tmp_path / "watched"), chroma_server.address, str(papers_file)]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([("127.0.0.1", chroma_server.port)])

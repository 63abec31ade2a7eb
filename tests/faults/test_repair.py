"""What `paperchat doctor --repair` mends: every way in which catalog and indexes can disagree."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assistant import factory
from assistant.encodings import EncodedText, WordVectors
from assistant.errors import LibraryBusy, LibraryError, RecipeMismatch
from assistant.schema import Chunk, Paper
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from ingest.maintenance.repair import reindex, repair
from ingest.report import Progress
from tests.conftest import Paperchat
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.libraries import lock

Open = Callable[[], Library]
STRANGER = Paper("0123", "A paper of no catalog.")


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.fixture
def whole(open_library: Open, papers_file: Path) -> Everything:
    """What the library holds while all is well; it is closed again."""
    library = open_library()
    pipeline.ingest([papers_file], library)
    contents = everything(library)
    library.close()
    return contents


def lose_from_store(library: Library) -> None:
    library.store.remove([min(library.store.paper_ids())])


def lose_from_lexicon(library: Library) -> None:
    library.lexicon.remove([min(library.lexicon.paper_ids())])


def lose_from_words(library: Library) -> None:
    library.words.remove([min(library.words.paper_ids())])


def strange_vector(library: Library) -> None:
    library.store.replace(
        [Chunk(STRANGER.id, 0, "text", 0, 4)], [library.embedder.encode_documents(["text"])[0].vector]
    )


def strange_posting(library: Library) -> None:
    library.lexicon.replace([STRANGER])


def strange_words(library: Library) -> None:
    library.words.replace({STRANGER.id: WordVectors(np.zeros(0, np.int32), np.zeros((0, 0), np.uint8))})


def strange_everywhere(library: Library) -> None:
    for accident in (strange_vector, strange_posting, strange_words, lose_from_lexicon):
        accident(library)


def deletion_cut_off(library: Library) -> None:
    """Papers are gone from the catalog, and came back, while the indexes never followed."""
    (lost, *_) = library.catalog.papers.all()
    library.catalog.ledger.invalidate([lost.id])


ACCIDENTS = [
    lose_from_store,
    lose_from_lexicon,
    lose_from_words,
    strange_vector,
    strange_posting,
    strange_words,
    strange_everywhere,
    deletion_cut_off,
]


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_disagreement_is_found_and_mended_to_the_very_same_library(
    accident: Callable[[Library], None], whole: Everything, open_library: Open, paperchat: Paperchat
) -> None:
    library = open_library()
    accident(library)
    library.close()
    assert "doctor --repair" in paperchat("doctor").out
    done = paperchat("doctor", "--repair")
    assert (done.code, done.out.splitlines()[-1]) == (0, "All is well.")
    assert everything(open_library()) == whole


def test_a_vector_that_the_store_has_lost_is_found_and_made_again(
    whole: Everything, settings: Settings, open_library: Open
) -> None:
    with closing(sqlite3.connect(settings.home / factory.STORE_FOLDER / "chroma.sqlite3")) as database, database:
        # As two writers leave it: the row is there, and its vector is in no index and no queue.
        database.execute("DELETE FROM embeddings_queue WHERE seq_id = (SELECT max(seq_id) FROM embeddings_queue)")
    library = open_library()
    assert [len(difference.missing) for difference in library.compare().values()] == [1]
    library.close()
    assert repair(settings) == 1
    assert everything(open_library()) == whole


@pytest.mark.parametrize("index", [factory.STORE_FOLDER, factory.LEXICON_FOLDER, factory.WORD_VECTORS_FILE])
@pytest.mark.parametrize("accident", ["gone", "overwritten"])
def test_an_index_that_is_gone_or_damaged_is_built_anew(
    index: str, accident: str, whole: Everything, settings: Settings, open_library: Open
) -> None:
    index_path = settings.home / index
    for file in [index_path] if index_path.is_file() else [path for path in index_path.rglob("*") if path.is_file()]:
        file.write_bytes(b"ice " * 5000)
    if accident == "gone":
        index_path.unlink() if index_path.is_file() else shutil.rmtree(index_path)
    assert repair(settings) == 3
    assert everything(open_library()) == whole


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_indexing_again_in_an_open_library_leaves_the_very_same_one_whatever_was_wrong(
    accident: Callable[[Library], None], whole: Everything, open_library: Open
) -> None:
    library = open_library()
    accident(library)
    reports: list[Progress] = []
    assert reindex(library, reports.append) == 3
    assert everything(library) == whole
    assert reports[-1].done == reports[-1].total


def test_what_is_indexed_again_is_found_all_the_while(library: Library, papers_file: Path) -> None:
    pipeline.ingest([papers_file], library)
    counts: list[int] = []
    embed = library.embedder.encode_documents

    def counting(texts: Sequence[str]) -> list[EncodedText]:
        counts.append(len(library.catalog.ledger.indexed_ids()) + library.catalog.papers.count())
        return embed(texts)

    library.embedder.encode_documents = counting  # type: ignore[method-assign]
    assert reindex(library) == 3
    assert counts == [6]


@pytest.mark.usefixtures("whole")
def test_nothing_is_done_where_all_is_well(settings: Settings, open_library: Open) -> None:
    library = open_library()
    before = library.catalog.ledger.generation
    library.close()
    assert repair(settings) == 0
    assert open_library().catalog.ledger.generation == before


def test_a_repair_is_refused_while_another_writes_and_where_the_recipe_is_another(
    whole: Everything, settings: Settings, open_library: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lock(settings.home), pytest.raises(LibraryBusy):
        repair(settings)
    with monkeypatch.context() as patched:
        patched.setattr(factory, "open_embedder", lambda _: WordHashEmbedder(dimension=32))
        with pytest.raises(RecipeMismatch):
            repair(settings)
    assert everything(open_library()) == whole


@pytest.mark.usefixtures("whole")
def test_a_damaged_catalog_is_no_reason_to_touch_the_indexes(settings: Settings) -> None:
    for suffix in ("", "-wal", "-shm"):
        (settings.home / f"catalog.db{suffix}").unlink(missing_ok=True)
    (settings.home / "catalog.db").write_bytes(b"no database" * 100)
    before = sorted(file.name for file in (settings.home / factory.LEXICON_FOLDER).iterdir())
    with pytest.raises(LibraryError, match="catalog"):
        repair(settings)
    assert sorted(file.name for file in (settings.home / factory.LEXICON_FOLDER).iterdir()) == before

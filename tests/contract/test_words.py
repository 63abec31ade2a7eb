"""The contract of every WordVectorIndex, just written or reopened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from assistant.encodings import WordVectors
from assistant.errors import LibraryError
from assistant.protocols import WordVectorIndex
from assistant.storage import word_vectors
from assistant.storage.postgres_word_vectors import PostgresWordVectors
from assistant.storage.word_vectors import SqliteWordVectors
from tests.postgres import PostgresProcess

ADAPTERS = ("sqlite", "postgresql")

Open = Callable[[], WordVectorIndex]


def some(count: int, seed: int = 0) -> WordVectors:
    """Return words at every third character, with bits from this seed."""
    bits = np.random.default_rng(seed).integers(0, 256, (count, 6), dtype=np.uint8)
    return WordVectors(np.arange(-1, 3 * count - 1, 3, dtype=np.int32), bits)


def same(left: WordVectors, right: WordVectors) -> bool:
    return np.array_equal(left.starts, right.starts) and np.array_equal(left.bits, right.bits)


@pytest.fixture(params=ADAPTERS)
def open_words(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the index of one directory; each call opens another instance."""
    opened: list[WordVectorIndex] = []
    open_index: Callable[[], WordVectorIndex] = partial(SqliteWordVectors, tmp_path / "words.db")
    if request.param == "postgresql":
        server: PostgresProcess = request.getfixturevalue("postgres_server")
        open_index = partial(PostgresWordVectors, server.schema())

    def open_one() -> WordVectorIndex:
        opened.append(open_index())
        return opened[-1]

    yield open_one
    for index in opened:
        index.close()


@pytest.fixture(params=["just written", "opened again"])
def settled(request: pytest.FixtureRequest, open_words: Open) -> Callable[[WordVectorIndex], WordVectorIndex]:
    """Return a function that gives the index to read after a change: the same, or a reopened one."""
    return lambda index: index if request.param == "just written" else open_words()


def test_a_new_index_is_empty(open_words: Open) -> None:
    index = open_words()
    assert index.is_empty()
    assert index.paper_ids() == set()
    assert index.get(["ice"]) == {}
    assert index.get([]) == {}


def test_get_returns_what_was_stored(open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]) -> None:
    index = open_words()
    index.replace({"ice": some(7, 1), "bees": some(300, 2)})
    stored = settled(index).get(["bees", "unknown", "ice"])
    assert set(stored) == {"ice", "bees"}
    assert same(stored["ice"], some(7, 1))
    assert same(stored["bees"], some(300, 2))


def test_a_paper_without_words_is_indexed(open_words: Open) -> None:
    index = open_words()
    index.replace({"blank": some(0)})
    assert not index.is_empty()
    assert index.paper_ids() == {"blank"}
    assert len(index.get(["blank"])["blank"].starts) == 0


def test_papers_are_replaced_whole(open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]) -> None:
    index = open_words()
    index.replace({"ice": some(50, 1), "bees": some(9, 2)})
    index.replace({"ice": some(3, 3)})
    stored = settled(index).get(["ice", "bees"])
    assert same(stored["ice"], some(3, 3))
    assert same(stored["bees"], some(9, 2))


def test_remove_removes_papers_and_ignores_unknown_ids(
    open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]
) -> None:
    index = open_words()
    index.replace({"ice": some(4), "bees": some(5)})
    index.remove(["ice", "unknown"])
    assert settled(index).paper_ids() == {"bees"}
    assert settled(index).get(["ice"]) == {}


def test_the_space_of_removed_papers_is_reused_in_a_file(tmp_path: Path) -> None:
    sizes = []
    for round_ in range(3):
        index = SqliteWordVectors(tmp_path / "words.db")
        index.replace({f"{round_}-{number}": some(200, number) for number in range(200)})
        index.remove(index.paper_ids())
        index.close()
        sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
    assert sizes[2] < 1.1 * sizes[0]


def test_more_papers_are_read_than_one_statement_has_parameters(open_words: Open) -> None:
    index = open_words()
    index.replace({str(number): some(1, number) for number in range(2000)})
    stored = index.get([str(number) for number in range(2000)])
    assert len(stored) == 2000
    assert same(stored["1999"], some(1, 1999))


def test_readers_see_what_another_instance_wrote(open_words: Open) -> None:
    reader, writer = open_words(), open_words()
    writer.replace({"ice": some(4)})
    reader.refresh()
    assert same(reader.get(["ice"])["ice"], some(4))


def test_several_threads_may_read_at_once(open_words: Open) -> None:
    index = open_words()
    index.replace({str(number): some(20, number) for number in range(50)})
    wrong: list[int] = []

    def read(number: int) -> None:
        if not all(same(index.get([str(number)])[str(number)], some(20, number)) for _ in range(20)):
            wrong.append(number)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_several_instances_may_create_the_index_at_once(open_words: Open) -> None:
    together = threading.Barrier(8)

    def create(number: int) -> None:
        together.wait()
        open_words().replace({str(number): some(4, number)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(8)))
    assert open_words().paper_ids() == set(map(str, range(8)))


def test_a_refresh_opens_the_file_that_a_reindex_replaced(tmp_path: Path) -> None:
    file = tmp_path / "words.db"
    reader = SqliteWordVectors(file)
    reader.replace({"ice": some(4)})
    word_vectors.wipe(file)
    writer = SqliteWordVectors(file)
    writer.replace({"bees": some(5)})
    reader.refresh()
    assert reader.paper_ids() == {"bees"}
    reader.close()
    writer.close()


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_an_error_with_the_remedy(tmp_path: Path, keep: float) -> None:
    file = tmp_path / "words.db"
    index = SqliteWordVectors(file)
    papers = [str(number) for number in range(500)]
    index.replace({paper: some(100) for paper in papers})
    index.close()
    file.write_bytes(file.read_bytes()[: int(keep * file.stat().st_size)])
    with pytest.raises(LibraryError, match=r"words\.db cannot be read .*paperchat reindex"):
        _read_all(file, papers)


def test_a_file_of_another_format_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "words.db"
    file.write_text("glaciers " * 2000, encoding="utf-8")
    with pytest.raises(LibraryError, match="paperchat reindex"):
        SqliteWordVectors(file)
    word_vectors.wipe(file)
    assert list(tmp_path.iterdir()) == []
    SqliteWordVectors(file).close()


def _read_all(file: Path, papers: list[str]) -> None:
    index = SqliteWordVectors(file)
    try:
        index.get(papers)
    finally:
        index.close()

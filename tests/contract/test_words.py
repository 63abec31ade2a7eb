"""What every WordIndex promises, whether it was just written or opened again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.encodings import WordVectors
from assistant.errors import LibraryError
from assistant.protocols import WordVectorIndex
from assistant.storage import word_vectors
from assistant.storage.word_vectors import SqliteWords

ADAPTERS: dict[str, Callable[[Path], WordVectorIndex]] = {"sqlite": lambda folder: SqliteWords(folder / "words.db")}

Open = Callable[[], WordVectorIndex]


def some(count: int, seed: int = 0) -> WordVectors:
    """Words at every third character, with signs that only this seed has."""
    bits = np.random.default_rng(seed).integers(0, 256, (count, 6), dtype=np.uint8)
    return WordVectors(np.arange(-1, 3 * count - 1, 3, dtype=np.int32), bits)


def same(one: WordVectors, other: WordVectors) -> bool:
    return np.array_equal(one.starts, other.starts) and np.array_equal(one.bits, other.bits)


@pytest.fixture(params=ADAPTERS)
def open_words(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the index of one directory, as often as asked."""
    opened: list[WordVectorIndex] = []

    def open_one() -> WordVectorIndex:
        opened.append(ADAPTERS[request.param](tmp_path))
        return opened[-1]

    yield open_one
    for index in opened:
        index.close()


@pytest.fixture(params=["just written", "opened again"])
def settled(request: pytest.FixtureRequest, open_words: Open) -> Callable[[WordVectorIndex], WordVectorIndex]:
    """What is asked after a change: the same index, or another one over its directory."""
    return lambda index: index if request.param == "just written" else open_words()


def test_a_new_index_is_empty(open_words: Open) -> None:
    index = open_words()
    assert index.is_empty()
    assert index.paper_ids() == set()
    assert index.get(["ice"]) == {}
    assert index.get([]) == {}


def test_what_was_put_in_is_what_comes_out(
    open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]
) -> None:
    index = open_words()
    index.replace({"ice": some(7, 1), "bees": some(300, 2)})
    held = settled(index).get(["bees", "unknown", "ice"])
    assert set(held) == {"ice", "bees"}
    assert same(held["ice"], some(7, 1))
    assert same(held["bees"], some(300, 2))


def test_a_paper_without_words_is_held_all_the_same(open_words: Open) -> None:
    index = open_words()
    index.replace({"blank": some(0)})
    assert not index.is_empty()
    assert index.paper_ids() == {"blank"}
    assert len(index.get(["blank"])["blank"].starts) == 0


def test_papers_are_replaced_whole(open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]) -> None:
    index = open_words()
    index.replace({"ice": some(50, 1), "bees": some(9, 2)})
    index.replace({"ice": some(3, 3)})
    held = settled(index).get(["ice", "bees"])
    assert same(held["ice"], some(3, 3))
    assert same(held["bees"], some(9, 2))


def test_removed_papers_are_gone_and_unknown_ids_passed_over(
    open_words: Open, settled: Callable[[WordVectorIndex], WordVectorIndex]
) -> None:
    index = open_words()
    index.replace({"ice": some(4), "bees": some(5)})
    index.remove(["ice", "unknown"])
    assert settled(index).paper_ids() == {"bees"}
    assert settled(index).get(["ice"]) == {}


def test_the_room_of_removed_papers_is_used_again(open_words: Open, tmp_path: Path) -> None:
    sizes = []
    for round_ in range(3):
        index = open_words()
        index.replace({f"{round_}-{number}": some(200, number) for number in range(200)})
        index.remove(index.paper_ids())
        index.close()
        sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
    assert sizes[2] < 1.1 * sizes[0]


def test_more_papers_are_asked_for_than_a_statement_takes(open_words: Open) -> None:
    index = open_words()
    index.replace({str(number): some(1, number) for number in range(2000)})
    held = index.get([str(number) for number in range(2000)])
    assert len(held) == 2000
    assert same(held["1999"], some(1, 1999))


def test_readers_see_what_another_has_written(open_words: Open) -> None:
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


def test_a_reader_finds_the_file_that_a_reindex_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "words.db"
    reader = SqliteWords(file)
    reader.replace({"ice": some(4)})
    word_vectors.wipe(file)
    writer = SqliteWords(file)
    writer.replace({"bees": some(5)})
    reader.refresh()
    assert reader.paper_ids() == {"bees"}
    reader.close()
    writer.close()


@pytest.mark.parametrize("keep", [0.02, 0.5, 0.9])
def test_a_file_cut_short_is_an_error_that_names_the_cure(tmp_path: Path, keep: float) -> None:
    file = tmp_path / "words.db"
    index = SqliteWords(file)
    papers = [str(number) for number in range(500)]
    index.replace({paper: some(100) for paper in papers})
    index.close()
    file.write_bytes(file.read_bytes()[: int(keep * file.stat().st_size)])
    with pytest.raises(LibraryError, match=r"words\.db cannot be read .*paperchat reindex"):
        _read_all(file, papers)


def test_what_is_no_word_index_is_an_error_that_names_the_cure(tmp_path: Path) -> None:
    file = tmp_path / "words.db"
    file.write_text("glaciers " * 2000, encoding="utf-8")
    with pytest.raises(LibraryError, match="paperchat reindex"):
        SqliteWords(file)
    word_vectors.wipe(file)
    assert list(tmp_path.iterdir()) == []
    SqliteWords(file).close()


def _read_all(file: Path, papers: list[str]) -> None:
    index = SqliteWords(file)
    try:
        index.get(papers)
    finally:
        index.close()

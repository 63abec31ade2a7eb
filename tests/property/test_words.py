"""A word index stores what a dict would, after any sequence of changes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.encodings import WordVectors
from assistant.storage.word_vectors import SqliteWordVectors

IDS = st.sampled_from(["ice", "bees", "bread", "naïve ' ; --", "🧊"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("replace"), st.dictionaries(IDS, st.integers(0, 40), max_size=3)),
        st.tuples(st.just("remove"), st.sets(IDS, max_size=3)),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("refresh"), st.none()),
    ),
    max_size=12,
)


def some(count: int) -> WordVectors:
    return WordVectors(np.arange(count, dtype=np.int32), np.full((count, 8), count, dtype=np.uint8))


@given(STEPS)
def test_after_any_changes_and_reopenings_the_index_equals_a_dict(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, expected = Path(folder) / "words.db", dict[str, int]()
        index = SqliteWordVectors(file)
        for name, argument in steps:
            if name == "replace" and isinstance(argument, dict):
                index.replace({paper: some(count) for paper, count in argument.items()})
                expected |= argument
            elif name == "remove" and isinstance(argument, set):
                index.remove(argument)
                expected = {paper: count for paper, count in expected.items() if paper not in argument}
            elif name == "reopen":
                index.close()
                index = SqliteWordVectors(file)
            else:
                index.refresh()
        stored = index.get(index.paper_ids())
        index.close()
    assert {paper: len(words.starts) for paper, words in stored.items()} == expected
    assert all((words.bits == expected[paper]).all() for paper, words in stored.items())

"""Whatever is done to a word index, it holds what a dict would."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.encodings import WordVectors
from assistant.storage.word_vectors import SqliteWords

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
def test_any_sequence_of_changes_and_reopenings_leaves_what_a_dict_would_hold(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, held = Path(folder) / "words.db", dict[str, int]()
        index = SqliteWords(file)
        for name, what in steps:
            if name == "replace" and isinstance(what, dict):
                index.replace({paper: some(count) for paper, count in what.items()})
                held |= what
            elif name == "remove" and isinstance(what, set):
                index.remove(what)
                held = {paper: count for paper, count in held.items() if paper not in what}
            elif name == "reopen":
                index.close()
                index = SqliteWords(file)
            else:
                index.refresh()
        found = index.get(index.paper_ids())
        index.close()
    assert {paper: len(words.starts) for paper, words in found.items()} == held
    assert all((words.bits == held[paper]).all() for paper, words in found.items())

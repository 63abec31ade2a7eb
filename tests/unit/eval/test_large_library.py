"""A library that is filled with the vectors of a sample has the size and form of a real one, and answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assistant import factory
from assistant.settings import Settings
from assistant.storage.library import Library
from eval.bench import large_library
from tests.evaluation import PAPERS


def test_every_paper_is_indexed_and_its_words_are_where_they_stand(library: Library) -> None:
    large_library.fill(PAPERS, library)
    assert library.catalog.ledger.pending_count() == 0
    assert library.compare() == {}
    paper = PAPERS[0]
    words = library.words.get([paper.id])[paper.id]
    assert len(words.starts) > 3
    for start in words.starts:
        assert paper.abstract[start].isalnum()
        assert start == 0 or not paper.abstract[start - 1].isalnum()


def test_a_library_that_is_filled_stays(open_library: Callable[[], Library]) -> None:
    library = open_library()
    large_library.fill(PAPERS, library)
    generation = library.catalog.ledger.generation
    large_library.fill(PAPERS, library)
    assert library.catalog.ledger.generation == generation


def test_questions_are_answered_from_it(library: Library, settings: Settings) -> None:
    large_library.fill(PAPERS, library)
    answer = factory.open_assistant(settings, library).ask(PAPERS[0].abstract)
    assert answer.hits


def test_noise_keeps_vectors_at_length_one_and_their_direction() -> None:
    vectors = np.eye(3, dtype=np.float32)
    noisy = large_library.with_noise(vectors, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(noisy, axis=1), 1)
    assert (noisy.argmax(axis=1) == [0, 1, 2]).all()

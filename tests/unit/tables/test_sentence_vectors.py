from __future__ import annotations

import numpy as np

from assistant.tables.sentence_vectors import sentence_vectors
from tests.fakes import WordHashEmbedder


def test_each_sentence_of_an_abstract_has_a_vector_of_length_one() -> None:
    (with_title, without) = sentence_vectors(
        [("A title", ["Bees dance.", "Ice melts fast."]), ("", ["Bread rises."])], WordHashEmbedder()
    )
    assert with_title.shape[0] == 2
    assert without.shape[0] == 1
    assert np.allclose(np.linalg.norm(np.concatenate([with_title, without]), axis=1), 1.0)


def test_the_words_of_a_title_belong_to_no_sentence() -> None:
    sentences = ["Bees dance.", "Ice melts fast."]
    titled, plain = sentence_vectors([("Kangaroos", sentences), ("", sentences)], WordHashEmbedder())
    assert np.allclose(titled, plain)


def test_no_texts_have_no_vectors() -> None:
    assert sentence_vectors([], WordHashEmbedder()) == []

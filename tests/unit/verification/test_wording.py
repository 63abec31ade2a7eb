from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assistant.chat import Assistant
from assistant.encodings import EncodedText
from assistant.verification.wording import Words, importance, likeness, said, words

Read = Callable[[str], Words]

ABSTRACT = "Bees dance. Older bees dance longer, while glaciers melt in summer. Nothing else is known of them."


@pytest.fixture
def read(reader: Assistant) -> Read:
    library = reader.library
    return lambda text: words(text, library.embedder.encode_documents([text])[0], library.lexicon)


def test_words_have_their_place_their_stem_and_a_vector_of_length_one(read: Read) -> None:
    found = read("The bees danced in 1,000 hives.")
    assert [found.written(number) for number in range(len(found))] == ["The", "bees", "danced", "in", "1,000", "hives"]
    assert found.stems == ("", "bee", "danc", "", "1 000", "hive")
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1.0)


def test_a_word_that_the_embedder_did_not_reach_has_no_vector_but_keeps_its_stem(reader: Assistant) -> None:
    reading = EncodedText(np.ones(2, dtype=np.float32), ((0, 4),), np.array([[3.0, 4.0]], dtype=np.float32))
    found = words("bees dance", reading, reader.library.lexicon)
    assert found.vectors.tolist() == [pytest.approx([0.6, 0.8]), [0.0, 0.0]]
    assert likeness(found, found)[1, 1] == 1.0


def test_a_clause_ends_at_a_comma_but_not_within_a_number(read: Read) -> None:
    found = read(ABSTRACT)
    longer, melt = (found.stems.index(stem) for stem in ("longer", "melt"))
    assert found.clauses[longer] != found.clauses[melt]
    number = read("We decode 5,096 dances")
    assert set(number.clauses) == {0}


def test_of_no_words_nothing_is_said(read: Read, reader: Assistant) -> None:
    claim = read("bees dance")
    weights = importance(claim, claim.content(), reader.library.lexicon)
    assert weights.sum() == pytest.approx(1.0)
    alike = likeness(claim, claim)
    assert said(alike, weights, claim.content(), ()) == 0.0
    assert said(alike, weights, claim.content(), range(2)) == pytest.approx(1.0)

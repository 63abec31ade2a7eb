from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assistant.chat import Assistant
from assistant.encodings import EncodedText
from assistant.verification.tokenized_text import TokenizedText, coverage, similarity, term_weights, tokenize

Read = Callable[[str], TokenizedText]

ABSTRACT = "Bees dance. Older bees dance longer, while glaciers melt in summer. Nothing else is known of them."


@pytest.fixture
def read(reader: Assistant) -> Read:
    library = reader.library
    return lambda text: tokenize(text, library.embedder.encode_documents([text])[0], library.lexicon)


def test_words_have_their_place_their_stem_and_a_vector_of_length_one(read: Read) -> None:
    found = read("The bees danced in 1,000 hives.")
    assert [found.surface(number) for number in range(len(found))] == ["The", "bees", "danced", "in", "1,000", "hives"]
    assert found.stems == ("", "bee", "danc", "", "1 000", "hive")
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1.0)


def test_a_word_that_the_embedder_did_not_reach_has_no_vector_but_keeps_its_stem(reader: Assistant) -> None:
    reading = EncodedText(np.ones(2, dtype=np.float32), ((0, 4),), np.array([[3.0, 4.0]], dtype=np.float32))
    found = tokenize("bees dance", reading, reader.library.lexicon)
    assert found.vectors.tolist() == [pytest.approx([0.6, 0.8]), [0.0, 0.0]]
    assert similarity(found, found)[1, 1] == 1.0


def test_a_clause_ends_at_a_comma_but_not_within_a_number(read: Read) -> None:
    found = read(ABSTRACT)
    longer, melt = (found.stems.index(stem) for stem in ("longer", "melt"))
    assert found.clauses[longer] != found.clauses[melt]
    number = read("We decode 5,096 dances")
    assert set(number.clauses) == {0}


def test_of_no_words_nothing_is_coverage(read: Read, reader: Assistant) -> None:
    claim = read("bees dance")
    weights = term_weights(claim, claim.content_words(), reader.library.lexicon)
    assert weights.sum() == pytest.approx(1.0)
    alike = similarity(claim, claim)
    assert coverage(alike, weights, claim.content_words(), ()) == 0.0
    assert coverage(alike, weights, claim.content_words(), range(2)) == pytest.approx(1.0)

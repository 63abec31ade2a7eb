"""The contract of every Embedder. The packaged model is loaded once for the module."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant import embedding, factory
from assistant.encodings import EncodedText
from assistant.protocols import Embedder
from assistant.settings import load
from tests.fakes import WordHashEmbedder

if TYPE_CHECKING:
    from assistant.encodings import Vectors

TEXTS = [
    "Glaciers in the Alps lose their ice.",
    "Honey bees dance.",
    "",
    "Sourdough bread rises by wild yeast and lactic acid bacteria, and its smell depends on them.",
    "∇·E = ρ/ε₀ 🐝 naïve",
]


@pytest.fixture(scope="module", params=["word-hash", "float32", "openvino"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    if request.param == "word-hash":
        return WordHashEmbedder()
    return factory.open_embedder(
        load(home=tmp_path_factory.mktemp("home"), embedder=embedding.PACKAGED, engine=request.param)
    )


def test_it_has_a_name_a_revision_and_sizes(embedder: Embedder) -> None:
    assert embedder.name
    assert embedder.revision
    assert embedder.dimension > 1
    assert embedder.max_tokens >= 256


KINDS = pytest.mark.parametrize("kind", ["documents", "queries"])


def encode(embedder: Embedder, kind: str, texts: Sequence[str]) -> list[EncodedText]:
    return embedder.encode_documents(texts) if kind == "documents" else embedder.encode_queries(texts)


def vectors(embedder: Embedder, texts: Sequence[str], kind: str = "documents") -> Vectors:
    """Return the pooled vectors, shape (texts, dimension)."""
    return np.stack([encoded.vector for encoded in encode(embedder, kind, texts)])


@KINDS
def test_vectors_are_unit_rows_of_single_precision(embedder: Embedder, kind: str) -> None:
    rows = vectors(embedder, TEXTS, kind)
    assert rows.shape == (len(TEXTS), embedder.dimension)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)


@KINDS
def test_no_texts_have_no_encodings(embedder: Embedder, kind: str) -> None:
    assert encode(embedder, kind, []) == []


@KINDS
def test_a_text_has_the_same_vector_in_a_batch_and_alone(embedder: Embedder, kind: str) -> None:
    together = vectors(embedder, TEXTS, kind)
    alone = np.concatenate([vectors(embedder, [text], kind) for text in TEXTS])
    assert (together * alone).sum(axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-3)
    assert (together @ alone.T).argmax(axis=1).tolist() == list(range(len(TEXTS)))


def test_texts_that_share_words_are_nearer_than_others(embedder: Embedder) -> None:
    (query,) = vectors(embedder, ["bees that dance"], "queries")
    assert int((vectors(embedder, TEXTS) @ query).argmax()) == 1


def test_tokens_are_counted_with_the_special_ones(embedder: Embedder) -> None:
    assert embedder.count_tokens(["", "ice", "ice ice ice"]) == [2, 3, 5]


def test_the_tokens_of_no_texts_are_none(embedder: Embedder) -> None:
    assert embedder.count_tokens([]) == []


def test_tokens_are_counted_beyond_the_limit(embedder: Embedder) -> None:
    assert embedder.count_tokens(["ice " * 5000]) == [5002]


def test_a_text_of_as_many_tokens_as_it_may_have_is_encoded_to_its_end(embedder: Embedder) -> None:
    fill = "ice " * (embedder.max_tokens - 3)
    texts = [f"{fill}glacier", f"{fill}bee"]
    assert embedder.count_tokens(texts) == [embedder.max_tokens] * 2
    glacier, bee = vectors(embedder, texts)
    assert np.abs(glacier - bee).max() > 1e-3


def test_several_threads_may_use_it_at_once(embedder: Embedder) -> None:
    texts = TEXTS * 4
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda text: embedder.count_tokens([text])[0], texts))
        encoded = list(threads.map(lambda text: vectors(embedder, [text])[0], texts))
    assert counted == embedder.count_tokens(texts)
    assert (np.stack(encoded) * vectors(embedder, texts)).sum(axis=1) == pytest.approx(np.ones(20), abs=1e-3)


@pytest.mark.parametrize("text", [" ", "\n\t", "\0", "?!", "ｗｉｄｅ", "\u202e", "ice " * 20_000])
def test_odd_texts_have_vectors_too(embedder: Embedder, text: str) -> None:
    assert np.linalg.norm(vectors(embedder, [text], "queries")) == pytest.approx(1, abs=1e-4)


@KINDS
def test_each_token_has_its_offsets_and_a_vector(embedder: Embedder, kind: str) -> None:
    encodings = encode(embedder, kind, TEXTS)
    for text, encoded in zip(TEXTS, encodings, strict=True):
        assert encoded.tokens.shape == (len(encoded.spans), embedder.dimension)
        assert encoded.tokens.dtype == np.float32
        assert all(0 <= start < end <= len(text) for start, end in encoded.spans)
    assert [TEXTS[1][start:end] for start, end in encodings[1].spans][:3] == ["Honey", "bees", "dance"]
    assert encodings[2].spans == ()


def test_text_beyond_the_limit_has_no_tokens(embedder: Embedder) -> None:
    (encoded,) = embedder.encode_documents(["ice " * 5000])
    assert len(encoded.spans) == len(encoded.tokens) == embedder.max_tokens - 2

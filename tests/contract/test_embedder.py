"""What every Embedder promises. The packaged model is loaded once for all of this."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from assistant import embedding, factory
from assistant.protocols import Embedder
from assistant.settings import load
from tests.fakes import WordHashEmbedder

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


def test_it_says_what_it_is(embedder: Embedder) -> None:
    assert embedder.name
    assert embedder.revision
    assert embedder.dimension > 1
    assert embedder.max_tokens >= 256


@pytest.mark.parametrize("kind", ["embed_documents", "embed_queries"])
def test_vectors_are_unit_rows_of_single_precision(embedder: Embedder, kind: str) -> None:
    vectors = getattr(embedder, kind)(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)


@pytest.mark.parametrize("kind", ["embed_documents", "embed_queries"])
def test_no_texts_make_no_rows_but_the_width_stays(embedder: Embedder, kind: str) -> None:
    vectors = getattr(embedder, kind)([])
    assert vectors.shape == (0, embedder.dimension)
    assert vectors.dtype == np.float32


@pytest.mark.parametrize("kind", ["embed_documents", "embed_queries"])
def test_a_text_has_the_same_vector_in_a_batch_and_alone(embedder: Embedder, kind: str) -> None:
    embed = getattr(embedder, kind)
    together = embed(TEXTS)
    alone = np.concatenate([embed([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-3)
    assert (together @ alone.T).argmax(axis=1).tolist() == list(range(len(TEXTS)))


def test_texts_that_share_words_are_nearer_than_others(embedder: Embedder) -> None:
    query = embedder.embed_queries(["bees that dance"])[0]
    assert int((embedder.embed_documents(TEXTS) @ query).argmax()) == 1


def test_tokens_are_counted_with_the_special_ones(embedder: Embedder) -> None:
    assert embedder.count_tokens(["", "ice", "ice ice ice"]) == [2, 3, 5]


def test_the_tokens_of_no_texts_are_none(embedder: Embedder) -> None:
    assert embedder.count_tokens([]) == []


def test_tokens_are_counted_beyond_the_limit(embedder: Embedder) -> None:
    assert embedder.count_tokens(["ice " * 5000]) == [5002]


def test_a_text_of_as_many_tokens_as_it_may_have_is_read_to_its_end(embedder: Embedder) -> None:
    fill = "ice " * (embedder.max_tokens - 3)
    texts = [f"{fill}glacier", f"{fill}bee"]
    assert embedder.count_tokens(texts) == [embedder.max_tokens] * 2
    one, other = embedder.embed_documents(texts)
    assert np.abs(one - other).max() > 1e-3


def test_several_threads_may_use_it_at_once(embedder: Embedder) -> None:
    texts = TEXTS * 4
    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(lambda text: embedder.count_tokens([text])[0], texts))
        embedded = list(threads.map(lambda text: embedder.embed_queries([text])[0], texts))
    assert counted == embedder.count_tokens(texts)
    assert (np.stack(embedded) * embedder.embed_queries(texts)).sum(axis=1) == pytest.approx(np.ones(20), abs=1e-3)


@pytest.mark.parametrize("text", [" ", "\n\t", "\0", "?!", "ｗｉｄｅ", "\u202e", "ice " * 20_000])
def test_odd_texts_have_vectors_too(embedder: Embedder, text: str) -> None:
    assert np.linalg.norm(embedder.embed_queries([text])) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("kind", ["documents", "queries"])
def test_a_text_that_is_read_has_the_vector_that_it_has_alone(embedder: Embedder, kind: str) -> None:
    vectors = getattr(embedder, f"embed_{kind}")(TEXTS)
    readings = getattr(embedder, f"encode_{kind}")(TEXTS)
    assert np.stack([reading.vector for reading in readings]) == pytest.approx(vectors, abs=1e-4)


@pytest.mark.parametrize("kind", ["documents", "queries"])
def test_each_token_of_a_text_that_is_read_has_its_place_and_a_vector(embedder: Embedder, kind: str) -> None:
    readings = getattr(embedder, f"encode_{kind}")(TEXTS)
    for text, reading in zip(TEXTS, readings, strict=True):
        assert reading.tokens.shape == (len(reading.spans), embedder.dimension)
        assert reading.tokens.dtype == np.float32
        assert all(0 <= start < end <= len(text) for start, end in reading.spans)
    assert [TEXTS[1][start:end] for start, end in readings[1].spans][:3] == ["Honey", "bees", "dance"]
    assert readings[2].spans == ()


def test_no_texts_have_no_readings(embedder: Embedder) -> None:
    assert embedder.encode_documents([]) == []


def test_what_lies_beyond_the_limit_has_no_token(embedder: Embedder) -> None:
    (reading,) = embedder.encode_documents(["ice " * 5000])
    assert len(reading.spans) == len(reading.tokens) == embedder.max_tokens - 2

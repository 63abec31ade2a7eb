from __future__ import annotations

from collections.abc import Sequence

from assistant.encodings import EncodedText
from assistant.question.encoder import QuestionEncoder
from tests.fakes import WordHashEmbedder


class CountingEmbedder(WordHashEmbedder):
    """Records the texts of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []

    def encode_queries(self, texts: Sequence[str]) -> list[EncodedText]:
        self.calls.append(list(texts))
        return self.encode_documents(texts)


def test_a_text_is_encoded_once() -> None:
    embedder = CountingEmbedder()
    encoder = QuestionEncoder(embedder)
    first = encoder.encode("bees")
    assert encoder.encode_all(["bees", "ice", "bees", "ice"])[2] is first
    assert embedder.calls == [["bees"], ["ice"]]


def test_texts_go_through_the_embedder_together() -> None:
    embedder = CountingEmbedder()
    assert len(QuestionEncoder(embedder).encode_all(["bees", "ice", "bread"])) == 3
    assert embedder.calls == [["bees", "ice", "bread"]]
    assert QuestionEncoder(embedder).encode_all([]) == []


class TwoWayEmbedder(CountingEmbedder):
    """Encodes what is searched for with one more word."""

    def encode_search(self, texts: Sequence[str]) -> list[EncodedText]:
        return self.encode_documents([f"{text} searched" for text in texts])


def test_a_search_is_encoded_by_the_search_encoder_where_there_is_one() -> None:
    encoder = QuestionEncoder(TwoWayEmbedder())
    assert encoder.encode_search("bees").vector @ encoder.encode("bees").vector < 0.99


def test_without_a_search_encoder_a_search_shares_the_encoding_of_its_text() -> None:
    encoder = QuestionEncoder(CountingEmbedder())
    assert encoder.encode_search("bees") is encoder.encode("bees")

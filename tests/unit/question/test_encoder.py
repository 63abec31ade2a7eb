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

"""Stand-ins for the two models, the only things the tests fake."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import ModelError
from assistant.protocols import EncodedText
from assistant.schema import Message

if TYPE_CHECKING:
    from assistant.protocols import Vectors


class WordHashEmbedder:
    """Bags of words: each word adds a direction of its own, so texts are near when they share words."""

    name = "word-hash"
    revision = "1"
    engine = "float32"

    def __init__(self, dimension: int = 64, max_tokens: int = 256) -> None:
        self.dimension, self.max_tokens = dimension, max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        vectors = np.array([self._vector(text) for text in texts], dtype=np.float32)
        return vectors.reshape(len(texts), self.dimension)

    embed_queries = embed_documents

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Each word is a token, whose vector knows nothing of its context."""
        return [self._reading(text) for text in texts]

    encode_queries = encode_documents

    def _reading(self, text: str) -> EncodedText:
        spans = tuple(match.span() for match in re.finditer(r"\w+", text))[: self.max_tokens - 2]
        return EncodedText(self._vector(text), spans, self.embed_documents([text[start:end] for start, end in spans]))

    def _vector(self, text: str) -> Vectors:
        total = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.casefold()):
            seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4], "little")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / np.linalg.norm(total)


class ScriptedLLM:
    """Says what it was told to, in pieces, and remembers what it was asked; `fails_after` pieces it breaks."""

    name = "scripted/test"

    def __init__(self, *pieces: str, fails_after: int | None = None) -> None:
        self.pieces, self.fails_after = pieces, fails_after
        self.asked: list[list[Message]] = []

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        self.asked.append(list(messages))
        for number, piece in enumerate(self.pieces):
            if number == self.fails_after:
                raise ModelError("the scripted model broke off")
            yield piece

    def count_tokens(self, text: str) -> int:
        return len(text.split())


class UnreliableLLM(ScriptedLLM):
    """The same, but raises at asks of these numbers, counted from 1, after it has begun to speak."""

    def __init__(self, *pieces: str, raises: Mapping[int, BaseException]) -> None:
        super().__init__(*pieces)
        self.raises = raises

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        self.asked.append(list(messages))
        number = len(self.asked)
        for piece in self.pieces:
            yield piece
            if number in self.raises:
                raise self.raises[number]

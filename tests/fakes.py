"""Fakes of the embedder, the pair reader and the language model, the only parts that tests replace."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.encodings import EncodedText, PairReading
from assistant.errors import ModelError
from assistant.schema import Message, Sampling

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.settings import Settings


class WordHashEmbedder:
    """An Embedder of bags of words: each word adds a fixed random vector, so texts that share words are similar."""

    name = "word-hash"
    revision = "1"
    engine = "float32"

    def __init__(self, dimension: int = 64, max_tokens: int = 256) -> None:
        self.dimension, self.max_tokens = dimension, max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        """Encode each word as a token with a vector that does not depend on its context."""
        return [self._encode(text) for text in texts]

    encode_queries = encode_documents

    def _encode(self, text: str) -> EncodedText:
        spans = tuple(match.span() for match in re.finditer(r"\w+", text))[: self.max_tokens - 2]
        tokens = np.array([self._vector(text[start:end]) for start, end in spans], dtype=np.float32)
        return EncodedText(self._vector(text), spans, tokens.reshape(len(spans), self.dimension))

    def _vector(self, text: str) -> Vectors:
        total = np.full(self.dimension, 1e-3, dtype=np.float32)
        for word in re.findall(r"\w+", text.casefold()):
            seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:4], "little")
            total += np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
        return total / np.linalg.norm(total)


class WordOverlapReader:
    """A PairReader that compares words: a sentence with most of them supports or answers.

    It contradicts where just one of the two says "not".
    """

    revision = "word-overlap"

    def __init__(self) -> None:
        self.pairs: list[tuple[str, tuple[str, ...]]] = []

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        for query, sentences in pairs:
            self.pairs.append((query, tuple(sentences)))
            yield self._reading(query, sentences)

    def _reading(self, query: str, sentences: Sequence[str]) -> PairReading:
        words = _content(query)
        shares = tuple(len(words & _content(sentence)) / max(1, len(words)) for sentence in sentences)
        best = max(range(len(shares)), key=shares.__getitem__, default=-1)
        share = max(0.01, min(0.99, shares[best])) if shares else 0.01
        is_denied = best >= 0 and ("not" in words) != ("not" in _content(sentences[best]))
        probability = 1 / (1 + math.exp(-12 * (share - 0.7)))
        supported, contradicted = (0.01, probability) if is_denied else (probability, 0.01)
        return PairReading(contradicted, supported, self._answers(words, sentences), shares, shares)

    def _answers(self, words: set[str], sentences: Sequence[str]) -> float:
        """Return a probability that rises with the share of the words that the text has, whatever their ending."""
        stems = {word[:4] for sentence in sentences for word in _content(sentence)}
        share = sum(word[:4] in stems for word in words) / max(1, len(words))
        return 1 / (1 + math.exp(-12 * (share - 0.3)))


class ConstantReader:
    """A PairReader that always reads the same, and records the pairs."""

    revision = "constant"

    def __init__(self, supported: float = 0.01, contradicted: float = 0.01, answers: float = 0.5) -> None:
        self.supported, self.contradicted, self.answers = supported, contradicted, answers
        self.pairs: list[tuple[str, tuple[str, ...]]] = []

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        for query, sentences in pairs:
            self.pairs.append((query, tuple(sentences)))
            scores = (0.5,) * len(sentences)
            yield PairReading(self.contradicted, self.supported, self.answers, scores, scores)


def _content(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - _FUNCTION_WORDS


_FUNCTION_WORDS = frozenset(
    "a an and are by do does for how in is it of on the their they to what when which who with".split()
)


class ScriptedLLM:
    """An LLM that streams fixed pieces and records its requests; it fails after `fails_after` pieces."""

    name = "scripted/test"

    def __init__(self, *pieces: str, fails_after: int | None = None) -> None:
        self.pieces, self.fails_after = pieces, fails_after
        self.requests: list[list[Message]] = []

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.requests.append(list(messages))
        for number, piece in enumerate(self.pieces):
            if number == self.fails_after:
                raise ModelError("the scripted model broke off")
            yield piece

    def count_tokens(self, text: str) -> int:
        return len(text.split())


class UnreliableLLM(ScriptedLLM):
    """A ScriptedLLM that raises, after the first piece, in the requests with these numbers (from 1)."""

    def __init__(self, *pieces: str, raises: Mapping[int, BaseException]) -> None:
        super().__init__(*pieces)
        self.raises = raises

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.requests.append(list(messages))
        number = len(self.requests)
        for piece in self.pieces:
            yield piece
            if number in self.raises:
                raise self.raises[number]


class DraftingLLM(ScriptedLLM):
    """A ScriptedLLM whose calls, numbered from 1, reply differently: the last reply stays; None makes a call fail.

    `samplings` records how each call was sampled. A call that is left unread counts as stopped.
    """

    name = "drafting/test"

    def __init__(self, *replies: str | None) -> None:
        super().__init__()
        self.replies = replies
        self.samplings: list[Sampling | None] = []
        self.stopped = 0

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.requests.append(list(messages))
        self.samplings.append(sampling)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if reply is None:
            raise ModelError("the scripted model broke off")
        try:
            yield from re.findall(r"\S+\s*", reply)
        except GeneratorExit:
            self.stopped += 1
            raise


def open_word_hash(_: Settings) -> WordHashEmbedder:
    """Open the word-hash embedder in place of the one that the settings name; worker processes import it by name."""
    return WordHashEmbedder()

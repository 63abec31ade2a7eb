"""Encode the sentences of abstracts in one pass of the embedder over each abstract, so that each knows its context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.encodings import mean_direction

if TYPE_CHECKING:
    from assistant.encodings import EncodedText, Vectors
    from assistant.protocols import Embedder


def sentence_vectors(texts: Sequence[tuple[str, Sequence[str]]], embedder: Embedder) -> list[Vectors]:
    """Return the vectors of the sentences of each (title, sentences), shape (sentences, dimension), of length one.

    The vector of a sentence is the mean of its tokens'; beyond the embedder's limit it is zero. Raises ModelError.
    """
    joined = [" ".join([*([f"{title}."] if title else []), *sentences]) for title, sentences in texts]
    encoded = embedder.encode_documents(joined) if joined else []
    return [
        _means(whole, sentences, len(text) - len(" ".join(sentences)))
        for whole, text, (_, sentences) in zip(encoded, joined, texts, strict=True)
    ]


def _means(encoded: EncodedText, sentences: Sequence[str], start: int) -> Vectors:
    """Return the mean token vector of each sentence, the first of which begins at `start` of the encoded text."""
    import numpy as np

    means = np.zeros((len(sentences), encoded.tokens.shape[1]), np.float32)
    starts, ends = np.array(encoded.spans, dtype=np.int64).reshape(-1, 2).T
    for row, sentence in enumerate(sentences):
        end = start + len(sentence)
        tokens = encoded.tokens[(starts >= start) & (ends <= end)]
        if len(tokens):
            means[row] = mean_direction(tokens)
        start = end + 1
    return means

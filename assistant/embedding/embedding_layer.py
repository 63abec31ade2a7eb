"""The first layer of BERT: the embeddings of word, position and segment added up, and normalized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.embedding.packaged_weights import EPSILON

if TYPE_CHECKING:
    from assistant.embedding.packaged_weights import Tensors
    from assistant.embedding.pieces import PaddedBatch
    from assistant.encodings import Vectors


class EmbeddingLayer:
    """Looks word pieces up in the mapped file, so that only the rows in use are in memory."""

    def __init__(self, tensors: Tensors) -> None:
        names = ("word_embeddings", "position_embeddings", "token_type_embeddings")
        self._words, self._positions, self._segments = (tensors[f"embeddings.{name}.weight"] for name in names)
        self._scale, self._shift = (tensors[f"embeddings.LayerNorm.{name}"] for name in ("weight", "bias"))
        self.dimension = self._words.shape[1]

    def __call__(self, batch: PaddedBatch) -> Vectors:
        """Return the input of the first layer of attention, shape (sequences, pieces, dimension)."""
        import numpy as np

        vectors = self._words[batch.ids] + self._positions[: batch.ids.shape[1]] + self._segments[batch.segments]
        vectors -= vectors.mean(axis=-1, keepdims=True)
        variance = np.square(vectors).mean(axis=-1, keepdims=True)
        normalized: Vectors = vectors / np.sqrt(variance + np.float32(EPSILON)) * self._scale + self._shift
        return normalized

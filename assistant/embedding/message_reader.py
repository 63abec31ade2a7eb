"""Tell what a message wants: a fine-tuned encoder of a few layers with one linear head over the labels.

`python -m eval.training.intents` makes the weights.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.embedding.engine_choice import EXACT
from assistant.embedding.fine_tuned import MESSAGE_READER, FineTuned, Heads, load_transformer, load_weights
from assistant.embedding.pieces import padded
from assistant.logistic import softmax

if TYPE_CHECKING:
    from assistant.embedding.pieces import Transformer
    from assistant.encodings import Vectors

# Word pieces of a message that are read, special tokens included, and characters that are tokenized.
MAX_PIECES = 96
_MAX_CHARACTERS = 2000
# The mean of the token vectors, at this length beside the first of them, which is about as long.
MEAN_LENGTH = 4.0


class PackagedMessageReader:
    """A MessageReader over the packaged encoder. Safe to call from several threads."""

    def __init__(self, model: Transformer, weights: FineTuned) -> None:
        self._model, self._labels = model, weights.labels
        self._heads = Heads(weights.heads, weights.temperatures)
        self._lock = threading.Lock()  # OpenVINO's requests are not thread-safe

    def read(self, message: str) -> dict[str, float]:
        """Return the probability of each label; they sum to 1."""
        import numpy as np

        hidden = self._hidden(message)
        mean = hidden.mean(axis=0)
        features = np.concatenate([MEAN_LENGTH * mean / np.linalg.norm(mean), hidden[0]])
        heads = self._heads.weights
        logits = (heads["weight"] @ features + heads["bias"]) / self._heads.temperatures["labels"]
        return dict(zip(self._labels, softmax(logits).tolist(), strict=True))

    def _hidden(self, message: str) -> Vectors:
        """Return the token vectors of a message, shape (pieces, dimension)."""
        with self._lock:
            (pieces,) = self._model.tokenize([message[:_MAX_CHARACTERS]], MAX_PIECES)
            hidden: Vectors = self._model.token_vectors(padded([pieces.ids]))[0]
        return hidden


def load_message_reader(cache: Path, engine: str = EXACT) -> PackagedMessageReader:
    """Load the packaged message reader; `engine` is the name of one, as the embedder runs by.

    Raises ModelError where the weights are missing, damaged or of another version, or the engine is missing.
    """
    weights = load_weights(MESSAGE_READER)
    return PackagedMessageReader(load_transformer(weights, cache, engine), weights)

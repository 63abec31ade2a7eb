"""Tell what a message wants: a fine-tuned encoder of a few layers with one linear head over the labels.

`python -m eval.training.intents` makes the weights.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.embedding import engines
from assistant.embedding.fine_tuned import MESSAGE_READER, FineTuned, load_weights, run_encoder
from assistant.logistic import softmax

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Word pieces of a message that are read, special tokens included, and characters that are tokenized.
MAX_PIECES = 96
_MAX_CHARACTERS = 2000
# The mean of the token vectors, at this length beside the first of them, which is about as long.
MEAN_LENGTH = 4.0
_INPUTS = ("input_ids", "attention_mask")


class PackagedMessageReader:
    """A MessageReader over the packaged encoder. Safe to call from several threads."""

    def __init__(self, model: Any, weights: FineTuned) -> None:
        self._model, self._weights = model, weights
        self._lock = threading.Lock()  # fast tokenizers are not thread-safe

    def read(self, message: str) -> dict[str, float]:
        """Return the probability of each label; they sum to 1."""
        import numpy as np

        hidden = self._hidden(message)
        mean = hidden.mean(axis=0)
        features = np.concatenate([MEAN_LENGTH * mean / np.linalg.norm(mean), hidden[0]])
        heads = self._weights.heads
        logits = (heads["weight"] @ features + heads["bias"]) / self._weights.temperatures["labels"]
        return dict(zip(self._weights.labels, softmax(logits).tolist(), strict=True))

    def _hidden(self, message: str) -> Vectors:
        """Return the token vectors of a message, shape (pieces, dimension)."""
        import torch

        with self._lock, torch.inference_mode():
            pieces = self._model.tokenizer(
                [message[:_MAX_CHARACTERS]], truncation=True, max_length=MAX_PIECES, return_tensors="pt"
            )
            body = self._model[0].model
            outputs = body(**{name: pieces[name].to(self._model.device) for name in _INPUTS})
        hidden: Vectors = outputs["last_hidden_state"][0].float().cpu().numpy()
        return hidden


def load_message_reader(cache: Path, engine: str = engines.EXACT) -> PackagedMessageReader:
    """Load the packaged message reader; `engine` is the name of one, as the embedder runs by.

    Raises ModelError where the weights are missing, damaged or of another version, or the engine is missing.
    """
    weights = load_weights(MESSAGE_READER)
    return PackagedMessageReader(run_encoder(weights, cache, engine, _INPUTS), weights)

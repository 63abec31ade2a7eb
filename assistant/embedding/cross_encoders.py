"""Cross-encoders by name: models that read two texts together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.embedding.packaged_model import first_line, locate_model
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# What an entailment model tells apart, in this order.
_LABELS = ("contradiction", "neutral", "entailment")


class TextCrossEncoder:
    """A Reranker that reads question and paper together, by a sentence-transformers CrossEncoder."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # a fast tokenizer may not be borrowed twice

    def score(self, query: str, documents: Sequence[str]) -> list[float]:
        """Return the model's probability that each document fits the query, 0..1."""
        if not documents:
            return []
        pairs = [(query, document) for document in documents]
        with self._lock:
            scores = self._model.predict(pairs, activation_fn=self._sigmoid, show_progress_bar=False)
        return [float(score) for score in scores]

    @property
    def _sigmoid(self) -> Any:
        import torch

        return torch.nn.Sigmoid()


def load_cross_encoder(name: str) -> TextCrossEncoder:
    """The cross-encoder in a folder or of the hub. Raises ModelError where it cannot be had or is none."""
    model = _cross_encoder("re-ranker", name)
    if model.num_labels != 1:
        raise ModelError(f"re-ranker {name!r} is no re-ranker: it gives {model.num_labels} scores instead of one")
    return TextCrossEncoder(name, model)


class CrossEncoderEntailment:
    """An Entailment over a sentence-transformers cross-encoder. Safe to call from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        """Raises ModelError where the model has other labels than contradiction, neutral and entailment."""
        labels = [str(label).casefold() for _, label in sorted((model.config.id2label or {}).items())]
        if sorted(labels) != sorted(_LABELS):
            raise ModelError(f"{name!r} is no entailment model: its labels are {', '.join(labels)}")
        self.name = name
        self._model = model
        self._order = [labels.index(label) for label in _LABELS]
        self._lock = threading.Lock()

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """How likely contradiction, neither and entailment are: shape (pairs, 3), rows sum to 1."""
        import numpy as np

        if not pairs:
            return np.empty((0, len(_LABELS)), dtype=np.float32)
        with self._lock:
            found = self._model.predict(list(pairs), apply_softmax=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)[:, self._order]


def load_entailment(name: str) -> CrossEncoderEntailment:
    """The entailment model of a folder or of the hub. Raises ModelError."""
    return CrossEncoderEntailment(name, _cross_encoder("entailment model", name))


def _cross_encoder(kind: str, name: str) -> Any:
    from sentence_transformers import CrossEncoder

    location, local = locate_model(kind, name)
    try:
        return CrossEncoder(location, local_files_only=local)
    except Exception as error:  # the library raises whatever its loaders raise
        raise ModelError(f"{kind} {name!r} cannot be loaded: {first_line(error)}") from error

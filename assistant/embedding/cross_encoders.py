"""Cross-encoders, loaded by name: models that encode two texts together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assistant.embedding.packaged_model import first_line, locate_model
from assistant.errors import ModelError

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The columns of the probabilities.
_LABELS = ("contradiction", "neutral", "entailment")


class TextCrossEncoder:
    """A sentence-transformers cross-encoder that scores documents for a query. Safe to call from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        self.name = name
        self._model = model
        self._lock = threading.Lock()  # fast tokenizers are not thread-safe

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
    """Load the re-ranker in a folder or of the hub. Raises ModelError where it is not available or not a re-ranker."""
    model = _load("re-ranker", name)
    if model.num_labels != 1:
        raise ModelError(f"{name!r} is not a re-ranker: it gives {model.num_labels} scores instead of one")
    return TextCrossEncoder(name, model)


class CrossEncoderEntailment:
    """An Entailment over a sentence-transformers cross-encoder. Safe to call from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        """Raise ModelError where the labels are not contradiction, neutral and entailment, in any order."""
        labels = [str(label).casefold() for _, label in sorted((model.config.id2label or {}).items())]
        if sorted(labels) != sorted(_LABELS):
            raise ModelError(f"{name!r} is not an entailment model: its labels are {', '.join(labels)}")
        self.name = name
        self._model = model
        self._order = [labels.index(label) for label in _LABELS]
        self._lock = threading.Lock()

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Vectors:
        """Predict the probabilities of contradiction, neutral and entailment: shape (pairs, 3), rows sum to 1."""
        import numpy as np

        if not pairs:
            return np.empty((0, len(_LABELS)), dtype=np.float32)
        with self._lock:
            probabilities = self._model.predict(list(pairs), apply_softmax=True, show_progress_bar=False)
        return np.asarray(probabilities, dtype=np.float32)[:, self._order]


def load_entailment(name: str) -> CrossEncoderEntailment:
    """Load the entailment model in a folder or of the hub. Raises ModelError."""
    return CrossEncoderEntailment(name, _load("entailment model", name))


def _load(kind: str, name: str) -> Any:
    from sentence_transformers import CrossEncoder

    location, local = locate_model(kind, name)
    try:
        return CrossEncoder(location, local_files_only=local)
    except Exception as error:  # its loaders raise anything
        raise ModelError(f"{kind} {name!r} cannot be loaded: {first_line(error)}") from error

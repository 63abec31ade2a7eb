"""Multinomial logistic regression over the features of a message, read from a file of weights."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import ModelError
from assistant.logistic import softmax

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.protocols import Embedder


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A linear classifier on the vectors of one embedder, which `embedder` and `revision` name.

    `weights` have shape (labels, features) and `bias` has shape (labels,), both float32.
    """

    labels: tuple[str, ...]
    weights: Vectors
    bias: Vectors
    embedder: str
    revision: str

    def applies_to(self, embedder: Embedder) -> bool:
        """Return whether the classifier was fitted on the vectors of this embedder."""
        return (embedder.name, embedder.revision) == (self.embedder, self.revision)

    def probabilities(self, features: Vectors) -> dict[str, float]:
        """Return the probability of each label, which sum to 1, for features of shape (features,)."""
        return dict(zip(self.labels, softmax(self.weights @ features + self.bias).tolist(), strict=True))


def save(classifier: LinearClassifier, file: Path) -> None:
    """Write the classifier, its weights in half precision, completely or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    np.savez_compressed(
        written,
        labels=np.array(classifier.labels),
        weights=classifier.weights.astype(np.float16),
        bias=classifier.bias.astype(np.float32),
        embedder=np.array(classifier.embedder),
        revision=np.array(classifier.revision),
    )
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(written.getvalue())
    part.replace(file)


def load(file: Path, cure: str = "reinstall paperchat") -> LinearClassifier:
    """Read a classifier. Raises ModelError, which names the file and the cure, where it is missing or damaged."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            classifier = LinearClassifier(
                labels=tuple(arrays["labels"].tolist()),
                weights=arrays["weights"].astype(np.float32),
                bias=arrays["bias"],
                embedder=str(arrays["embedder"]),
                revision=str(arrays["revision"]),
            )
    except FileNotFoundError as error:
        raise ModelError(f"{file} is missing: {cure}") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{file} is damaged: {cure}") from error
    if classifier.weights.shape[0] != len(classifier.labels) or classifier.bias.shape != (len(classifier.labels),):
        raise ModelError(f"{file} is damaged: {cure}")
    return classifier

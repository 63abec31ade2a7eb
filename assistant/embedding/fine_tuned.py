"""The weights of a fine-tuned encoder: what a training changed in the packaged one, in eight bits, and linear heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.embedding.engine_choice import EngineCache
from assistant.embedding.packaged_encoder import load_packaged
from assistant.embedding.packaged_model import PACKAGED_SHA256
from assistant.embedding.packaged_weights import layer_count
from assistant.embedding.weight_files import read_metadata, read_weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.embedding.pieces import Transformer

    Arrays = Mapping[str, NDArray[np.float32]]

_FOLDER = Path(__file__).parent / "weights"
PAIR_READER, MESSAGE_READER = _FOLDER / "pair_reader.safetensors", _FOLDER / "message_reader.safetensors"
# Raised when the inputs, the heads or the meaning of their outputs change.
FORMAT = 1
_SCALE = ".scale"
_HEAD = "head."
_EMBEDDINGS = "embeddings."


@dataclass(frozen=True, slots=True)
class FineTuned:
    """The tensors of the encoder that replace the packaged ones, the heads, and the fitted temperatures by head.

    `labels` are the classes of the only head, in the order of its rows, where it has classes with names.
    """

    encoder: Arrays
    heads: Arrays
    temperatures: Mapping[str, float]
    revision: str
    labels: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        """Return the number of layers of the encoder that are run."""
        return layer_count(self.encoder)

    def apply(self, encoder: Arrays) -> Arrays:
        """Return the tensors of the packaged encoder with these in place of its own, and no more layers than these."""
        embeddings = {name: value for name, value in encoder.items() if name.startswith(_EMBEDDINGS)}
        return {**embeddings, **self.encoder}


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads of a fine-tuned encoder and their temperatures: what is still in use once its layers are loaded."""

    weights: Arrays
    temperatures: Mapping[str, float]


def load_weights(file: Path) -> FineTuned:
    """Read the weights. Raises ModelError where the file is missing, damaged, or of another version or encoder."""
    tensors, metadata = read_weights(file, _subject(file), FORMAT)
    values = _dequantized(tensors)
    encoder = {name: value for name, value in values.items() if not name.startswith(_HEAD)}
    heads = {name.removeprefix(_HEAD): value for name, value in values.items() if name.startswith(_HEAD)}
    temperatures, labels = (json.loads(metadata.get(name, "[]")) for name in ("temperatures", "labels"))
    return FineTuned(encoder, heads, temperatures, metadata["revision"], tuple(labels))


def read_revision(file: Path) -> str:
    """Return the revision of the weights, without reading them. Raises as `load_weights` does."""
    return read_metadata(file, _subject(file), FORMAT)["revision"]


def load_transformer(weights: FineTuned, cache: Path, engine: str) -> Transformer:
    """Return the packaged encoder with these weights, run by an engine. Raises ModelError."""
    return load_packaged(engine, EngineCache(cache, weights.revision), weights.apply)[1]


def save_weights(weights: FineTuned, file: Path, notes: Mapping[str, str]) -> None:
    """Write the weights, the matrices of the encoder in eight bits; `notes` are added to the metadata."""
    import numpy as np
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {_HEAD + name: value for name, value in weights.heads.items()}
    for name, value in weights.encoder.items():
        if value.ndim == 2 and min(value.shape) > 2:
            scale = (np.abs(value).max(axis=1, keepdims=True) / 127).astype(np.float32)
            tensors[name] = np.round(value / np.maximum(scale, 1e-12)).astype(np.int8)
            tensors[name + _SCALE] = scale
        else:
            tensors[name] = value.astype(np.float16)
    metadata = {
        "format": str(FORMAT),
        "encoder": PACKAGED_SHA256,
        "revision": weights.revision,
        "temperatures": json.dumps(dict(weights.temperatures), sort_keys=True),
        "labels": json.dumps(weights.labels),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata=dict(notes) | metadata)


def _subject(file: Path) -> str:
    return f"the weights {file} are"


def _dequantized(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    import numpy as np

    return {
        name: value.astype(np.float32) * tensors.get(name + _SCALE, np.float32(1.0))
        for name, value in tensors.items()
        if not name.endswith(_SCALE)
    }

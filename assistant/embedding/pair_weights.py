"""The weights of the pair reader: what its training changed in the packaged encoder, in eight bits, and its heads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.embedding.packaged_model import PACKAGED_SHA256
from assistant.embedding.weight_files import read_weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.float32]]

WEIGHTS_FILE = Path(__file__).parent / "weights" / "pair_reader.safetensors"
# Raised when the inputs, the heads or the meaning of their outputs change.
FORMAT = 1
_SCALE = ".scale"
_HEAD = "head."


@dataclass(frozen=True, slots=True)
class PairWeights:
    """The tensors of the encoder that replace the packaged ones, the heads, and the fitted temperatures by head."""

    encoder: Arrays
    heads: Arrays
    temperatures: Mapping[str, float]
    revision: str


def load_weights(file: Path = WEIGHTS_FILE) -> PairWeights:
    """Read the weights. Raises ModelError where the file is missing, damaged, or of another version or encoder."""
    tensors, metadata = read_weights(file, f"the weights of the pair reader {file} are", FORMAT)
    values = _dequantized(tensors)
    encoder = {name: value for name, value in values.items() if not name.startswith(_HEAD)}
    heads = {name.removeprefix(_HEAD): value for name, value in values.items() if name.startswith(_HEAD)}
    return PairWeights(encoder, heads, json.loads(metadata["temperatures"]), metadata["revision"])


def save_weights(weights: PairWeights, file: Path, notes: Mapping[str, str]) -> None:
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
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata=dict(notes) | metadata)


def _dequantized(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    import numpy as np

    return {
        name: value.astype(np.float32) * tensors.get(name + _SCALE, np.float32(1.0))
        for name, value in tensors.items()
        if not name.endswith(_SCALE)
    }

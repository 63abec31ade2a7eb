"""The encoder adapter: low-rank changes of the packaged encoder's matrices that bring questions and abstracts together.

Low-rank adaptation of Hu et al. 2021, "LoRA", for questions and papers alike. `python -m eval.training.retriever` makes
the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.embedding.packaged_model import PACKAGED_SHA256
from assistant.embedding.weight_files import REMEDY, read_weights
from assistant.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrices = Mapping[str, NDArray[np.float32]]

ADAPTER_FILE = Path(__file__).parent / "weights" / "encoder_adapter.safetensors"
# Raised when the meaning of the stored matrices changes.
FORMAT = 1
_DOWN, _UP = ".down", ".up"


@dataclass(frozen=True, slots=True)
class EncoderAdapter:
    """The factors of the changes, by the name of the matrix in the encoder: `up[name] @ down[name]` is added to it.

    `down` has shape (rank, inputs), `up` (outputs, rank). `revision` identifies the weights.
    """

    down: Matrices
    up: Matrices
    revision: str

    def changes(self) -> dict[str, NDArray[np.float32]]:
        """Return what is added to each matrix of the encoder."""
        return {name: self.up[name] @ down for name, down in self.down.items()}

    def apply(self, encoder: Matrices) -> Matrices:
        """Return the tensors of the encoder with the changes added."""
        return {**encoder, **{name: encoder[name] + change for name, change in self.changes().items()}}


def load_adapter(file: Path = ADAPTER_FILE) -> EncoderAdapter:
    """Read the adapter. Raises ModelError where the file is missing, damaged, or of another version or encoder."""
    subject = f"the encoder adapter {file} is"
    stored, metadata = read_weights(file, subject, FORMAT)
    tensors = {name: value.astype("float32") for name, value in stored.items()}
    down, up = (
        {name.removesuffix(end): value for name, value in tensors.items() if name.endswith(end)} for end in (_DOWN, _UP)
    )
    if not down or down.keys() != up.keys():
        raise ModelError(f"{subject} damaged (a factor of a matrix is missing); {REMEDY}")
    return EncoderAdapter(down, up, metadata["revision"])


def save_adapter(adapter: EncoderAdapter, file: Path, notes: Mapping[str, str]) -> None:
    """Write the adapter in half precision; `notes` are added to the metadata."""
    import numpy as np
    from safetensors.numpy import save_file

    factors = {name + _DOWN: value for name, value in adapter.down.items()}
    factors |= {name + _UP: value for name, value in adapter.up.items()}
    metadata = {"format": str(FORMAT), "encoder": PACKAGED_SHA256, "revision": adapter.revision}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in factors.items()},
        file,
        metadata=dict(notes) | metadata,
    )

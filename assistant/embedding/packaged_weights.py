"""Read the weights of the packaged encoder without copying them: they are mapped into memory.

The file has the format of safetensors: the length of a header in JSON, the header, and the tensors. The library of that
name copies each tensor, which for the word embeddings is 47 MB of which a question needs a few rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[np.float32]]

# Of the packaged model, which is verified by its hash.
HEADS, EPSILON = 12, 1e-12
_LENGTH_BYTES = 8


def read_tensors(file: Path) -> Tensors:
    """Return the tensors of single precision by name, never to be written to; all encoders share one mapping.

    Raises ModelError where the file is not readable.
    """
    try:
        status = file.stat()
        return _mapped(file, status.st_size, status.st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error


@lru_cache(maxsize=1)
def _mapped(file: Path, size: int, modified: int) -> Tensors:
    """Map the file; its size and the time of its last change tell a file that has been replaced."""
    import numpy as np

    data = np.memmap(file, dtype=np.uint8, mode="c")  # OpenVINO shares only writable memory; nothing is written
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES].tobytes(), "little")
    header = json.loads(data[_LENGTH_BYTES:start].tobytes())
    return {
        name: data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]]
        .view(np.float32)
        .reshape(entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }


def layer_count(tensors: Tensors) -> int:
    """Return the number of layers of an encoder with these tensors."""
    return len({name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")})

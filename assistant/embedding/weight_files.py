"""Read the safetensors files of the package that change its encoder, and tell what is wrong with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.embedding.packaged_model import PACKAGED_SHA256
from assistant.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

REMEDY = "reinstall paperchat: pip install --force-reinstall --no-deps paperchat"


def read_weights(file: Path, subject: str, version: int) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the tensors and the metadata of a file; `subject` begins a message: "the adapter FILE is".

    Raises ModelError where the file is missing, damaged, or of another version or encoder.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as stored:
            metadata = stored.metadata() or {}
            tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    except FileNotFoundError as error:
        raise ModelError(f"{subject} missing; {REMEDY}") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{subject} damaged ({error}); {REMEDY}") from error
    if metadata.get("format") != str(version) or metadata.get("encoder") != PACKAGED_SHA256:
        raise ModelError(f"{subject} of another version; {REMEDY}")
    return tensors, metadata

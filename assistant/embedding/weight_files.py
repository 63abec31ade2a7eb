"""Read the safetensors files of the package that change its encoder, and tell what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    with _opened(file, subject, version) as (stored, metadata):
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    return tensors, metadata


def read_metadata(file: Path, subject: str, version: int) -> dict[str, str]:
    """Return the metadata of a file alone, without its tensors. Raises as `read_weights` does."""
    with _opened(file, subject, version) as (_, metadata):
        return metadata


@contextmanager
def _opened(file: Path, subject: str, version: int) -> Iterator[tuple[Any, dict[str, str]]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as stored:
            metadata = stored.metadata() or {}
            if metadata.get("format") != str(version) or metadata.get("encoder") != PACKAGED_SHA256:
                raise ModelError(f"{subject} of another version; {REMEDY}")
            yield stored, metadata
    except FileNotFoundError as error:
        raise ModelError(f"{subject} missing; {REMEDY}") from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{subject} damaged ({error}); {REMEDY}") from error

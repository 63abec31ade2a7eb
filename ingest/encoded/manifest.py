"""The manifest of a directory of encoded papers: what it contains, by which recipe, and whether it is complete."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from assistant.errors import InputError
from assistant.schema import Recipe

MANIFEST = "manifest.json"
FORMAT, VERSION = "paperchat encoded papers", 1
# About as long as the names of 4 million parts.
_LONGEST_MANIFEST = 1 << 28
_OTHER = "is not a directory of encoded papers, or its manifest is damaged"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The recipe of the encodings, the longest text that the embedder reads whole in tokens, and the contents.

    `parts` are the names of the files that belong to the directory, relative to it; there are none before `complete`.
    """

    recipe: Recipe
    max_tokens: int
    complete: bool = False
    records: int = 0
    papers: int = 0
    parts: tuple[str, ...] = ()


_MANIFEST_JSON = TypeAdapter(Manifest)
_OBJECT_JSON = TypeAdapter(dict[str, Any])


def is_encoded(folder: Path) -> bool:
    """Return whether a path is a directory whose manifest has this format, of whatever version."""
    try:
        return _content(folder).get("format") == FORMAT
    except (OSError, ValueError):
        return False


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a directory. Raise InputError where it is missing, damaged or of another version."""
    try:
        content = _content(folder)
        if content.get("format") != FORMAT:
            raise InputError(str(folder), _OTHER)
        if content.get("version") != VERSION:
            raise InputError(str(folder), f"was written in version {content.get('version')!r}: upgrade paperchat")
        return _MANIFEST_JSON.validate_python({field.name: content[field.name] for field in fields(Manifest)})
    except OSError as error:
        raise InputError(str(folder / MANIFEST), f"cannot be read: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise InputError(str(folder), _OTHER) from error


def manifest_json(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return _OBJECT_JSON.dump_json({"format": FORMAT, "version": VERSION} | asdict(manifest), indent=1)


def _content(folder: Path) -> dict[str, Any]:
    with (folder / MANIFEST).open("rb") as stream:
        return _OBJECT_JSON.validate_json(stream.read(_LONGEST_MANIFEST))

"""What the metadata of a collection tells of its store: the recipe, the stamp, and over how many shards it is spread.

The recipe is compared when a store is opened, because Chroma accepts any vectors of the right length.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from itertools import count, takewhile
from typing import Any

from assistant.errors import LibraryError, RecipeMismatch
from assistant.schema import Recipe

_RECIPE, _STAMP, _SHARDS = "recipe", "stamp", "shards"
# Chroma's hosted service takes values of at most 256 bytes, and JSON as it is written here is ASCII.
_MAX_VALUE_LENGTH = 240
_COMPARED_FIELDS = [field.name for field in fields(Recipe) if field.compare]

Metadata = Mapping[str, Any]


def new_metadata(recipe: Recipe, shards: int) -> dict[str, str | int]:
    """Return the metadata of a new collection of a store with this recipe and number of shards, with a new stamp."""
    text = json.dumps(asdict(recipe), sort_keys=True)
    parts = [text[start : start + _MAX_VALUE_LENGTH] for start in range(0, len(text), _MAX_VALUE_LENGTH)]
    facts = {_STAMP: secrets.randbits(62), _SHARDS: shards}
    return facts | {_recipe_key(number): part for number, part in enumerate(parts)}


def read_recipe(metadata: Metadata | None) -> dict[str, Any] | None:
    """Return the fields of the recipe; None where the collection has none."""
    parts = takewhile(bool, ((metadata or {}).get(_recipe_key(number)) for number in count()))
    recipe: dict[str, Any] | None = json.loads("".join(map(str, parts)) or "null")
    return recipe


def read_stamp(metadata: Metadata | None) -> int:
    """Return the random number drawn when the collection was created; 0 where there is none."""
    return int((metadata or {}).get(_STAMP, 0))


def read_shards(metadata: Metadata | None) -> int:
    """Return the number of shards of the store; collections of earlier versions do not tell it and are alone."""
    return int((metadata or {}).get(_SHARDS, 1))


def require_match(metadata: Metadata | None, recipe: Recipe, shards: int) -> None:
    """Raise RecipeMismatch where the recipe is another one, LibraryError where the number of shards is."""
    stored, wanted = read_recipe(metadata) or {}, asdict(recipe)
    if changes := [name for name in _COMPARED_FIELDS if stored.get(name) != wanted[name]]:
        raise RecipeMismatch(_mismatch(stored, wanted, changes))
    if (present := read_shards(metadata)) != shards:
        raise LibraryError(
            f"the collections of this library do not belong together: one is of a store of {present} shards, "
            f"another one of {shards}; run: paperchat reindex"
        )


def _recipe_key(number: int) -> str:
    return f"{_RECIPE}-{number}" if number else _RECIPE


def _mismatch(stored: Metadata, wanted: Metadata, changes: Sequence[str]) -> str:
    differences = "; ".join(f"{name} {stored.get(name)!r} -> {wanted[name]!r}" for name in changes)
    return (
        f"the library was indexed with another recipe ({differences}). "
        "Run: paperchat reindex, or restore the earlier settings"
    )

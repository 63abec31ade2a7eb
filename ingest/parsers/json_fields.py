"""Read values that JSON objects of many services share: nested values and authors' names."""

from __future__ import annotations

from typing import Any

from ingest.parsers.fields import first_name_first, first_text, scalar_text, split_names


def nested(value: Any, *path: str) -> Any:
    """Return the value at the end of a path of keys, or None if a key is missing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def author_names(value: Any) -> list[str]:
    """Return the names in a list of strings or objects, or in one string."""
    if isinstance(value, list):
        return [name for author in value if (name := _name(author))]
    return split_names(scalar_text(value))


def _name(value: Any) -> str:
    if not isinstance(value, dict):
        return first_name_first(scalar_text(value))
    first_name = first_text(*map(value.get, ("given", "first", "firstName", "first_name")))
    family = first_text(*map(value.get, ("family", "last", "lastName", "last_name")))
    particle = first_text(value.get("non-dropping-particle"), value.get("dropping-particle"))
    full = first_text(*map(value.get, ("name", "display_name", "fullname", "full_name", "fullName", "literal")))
    return full or " ".join(part for part in (first_name, particle, family, scalar_text(value.get("suffix"))) if part)

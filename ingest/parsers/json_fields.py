"""What objects of many services have in common: values deep inside, and people."""

from __future__ import annotations

from typing import Any

from ingest.parsers.fields import first, listed, string, turned


def inner(value: Any, *path: str) -> Any:
    """The value at the end of a path of keys; None where the path breaks off."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def people(value: Any) -> list[str]:
    """Names from a list of strings or objects, or from one string."""
    if isinstance(value, list):
        return [name for each in value if (name := _name(each))]
    return listed(string(value))


def _name(value: Any) -> str:
    if not isinstance(value, dict):
        return turned(string(value))
    given = first(*map(value.get, ("given", "first", "firstName", "first_name")))
    family = first(*map(value.get, ("family", "last", "lastName", "last_name")))
    particle = string(value.get("non-dropping-particle")) or string(value.get("dropping-particle"))
    whole = first(*map(value.get, ("name", "display_name", "fullname", "full_name", "fullName", "literal")))
    return whole or " ".join(part for part in (given, particle, family, string(value.get("suffix"))) if part)

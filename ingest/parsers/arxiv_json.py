"""The arXiv snapshot's lines, an object a paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, listed, string
from ingest.parsers.latex import decoded


def recognises(value: Mapping[str, Any]) -> bool:
    """An abstract beside categories or parsed names."""
    return "abstract" in value and "id" in value and ("authors_parsed" in value or "categories" in value)


def fields(value: Mapping[str, Any]) -> Fields:
    """What a line says, its LaTeX accents as characters."""
    number = string(value["id"])
    return Fields(
        title=decoded(string(value.get("title"))),
        abstract=decoded(string(value["abstract"])),
        authors=_authors(value),
        year=_created(value.get("versions")) or string(value.get("update_date")),
        venue=string(value.get("journal-ref")),
        doi=string(value.get("doi")),
        arxiv_id=number,
        url=f"https://arxiv.org/abs/{number}",
    )


def _authors(value: Mapping[str, Any]) -> list[str]:
    parsed = value.get("authors_parsed")
    if not isinstance(parsed, list) or not parsed:
        return listed(decoded(string(value.get("authors"))))
    names = ([string(part) for part in each[:3]] for each in parsed if isinstance(each, list))
    return [decoded(" ".join(filter(None, [*name[1:2], *name[:1], *name[2:]]))) for name in names]


def _created(versions: Any) -> str:
    first = versions[0] if isinstance(versions, list) and versions else None
    return string(first.get("created")) if isinstance(first, dict) else ""

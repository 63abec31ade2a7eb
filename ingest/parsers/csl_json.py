"""CSL-JSON, as Zotero and Pandoc have it, and the works of Crossref, which are nearly that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, first, string
from ingest.parsers.json_fields import inner, people

_DATES = ("issued", "published", "published-print", "published-online", "created")


def recognises(value: Mapping[str, Any]) -> bool:
    """A title beside keys that are CSL's alone."""
    return "title" in value and (
        not value.keys().isdisjoint(["container-title", "DOI", "URL", "citation-key"])
        or isinstance(value.get("issued"), dict)
        or isinstance(value.get("author"), list)
    )


def fields(value: Mapping[str, Any]) -> Fields:
    """What an item says."""
    return Fields(
        title=string(value["title"]),
        abstract=string(value.get("abstract")),
        authors=people(value.get("author")),
        year=next((year for key in _DATES if (year := _year(value.get(key)))), ""),
        venue=first(value.get("container-title"), value.get("event-title"), value.get("publisher")),
        doi=string(value.get("DOI")),
        arxiv_id=first(value.get("number"), value.get("archive_location"), value.get("note")),
        url=string(value.get("URL")),
    )


def _year(date: Any) -> str:
    """The year of a date's parts, or of a date as text."""
    parts = inner(date, "date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list):
        return string(parts[0])
    return first(inner(date, "raw"), inner(date, "literal"), date)

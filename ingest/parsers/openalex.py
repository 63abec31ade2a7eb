"""OpenAlex works, from its interface or its snapshot. Abstracts come as the places of each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, first, string
from ingest.parsers.json_fields import inner, people


def recognises(value: Mapping[str, Any]) -> bool:
    """An inverted abstract, or authorships."""
    return "abstract_inverted_index" in value or "authorships" in value


def fields(value: Mapping[str, Any]) -> Fields:
    """What a work says."""
    authorships = value.get("authorships")
    locations = value.get("locations")
    return Fields(
        title=first(value.get("title"), value.get("display_name")),
        abstract=_in_order(value.get("abstract_inverted_index")) or string(value.get("abstract")),
        authors=people([inner(each, "author") for each in authorships] if isinstance(authorships, list) else []),
        year=first(value.get("publication_year"), value.get("publication_date")),
        venue=first(
            *(inner(value, *path, "display_name") for path in (("primary_location", "source"), ("host_venue",)))
        ),
        doi=first(value.get("doi"), inner(value, "ids", "doi")),
        arxiv_id=" ".join(
            string(inner(each, "landing_page_url")) for each in (locations if isinstance(locations, list) else [])
        ),
        url=first(inner(value, "primary_location", "landing_page_url"), value.get("doi"), value.get("id")),
    )


def _in_order(index: Any) -> str:
    """The words of an inverted index in the order of their places."""
    if not isinstance(index, dict):
        return ""
    placed = [
        (place, word)
        for word, places in index.items()
        for place in (places if isinstance(places, list) else [])
        if isinstance(place, int)
    ]
    return " ".join(word for _, word in sorted(placed))

"""Extract OpenAlex works from its API or snapshot. Abstracts come as an inverted index from words to positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, first_text, scalar_text
from ingest.parsers.json_fields import author_names, nested


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object has an inverted abstract or authorships."""
    return "abstract_inverted_index" in value or "authorships" in value


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of a work."""
    locations = _elements(value.get("locations"))
    venues = (nested(value, "primary_location", "source"), value.get("host_venue"))
    return Fields(
        title=first_text(value.get("title"), value.get("display_name")),
        abstract=_text(value.get("abstract_inverted_index")) or scalar_text(value.get("abstract")),
        authors=author_names([nested(authorship, "author") for authorship in _elements(value.get("authorships"))]),
        year=first_text(value.get("publication_year"), value.get("publication_date")),
        venue=first_text(*(nested(venue, "display_name") for venue in venues)),
        doi=first_text(value.get("doi"), nested(value, "ids", "doi")),
        arxiv_id=" ".join(scalar_text(nested(location, "landing_page_url")) for location in locations),
        url=first_text(nested(value, "primary_location", "landing_page_url"), value.get("doi"), value.get("id")),
    )


def _text(index: Any) -> str:
    """Return the words of an inverted index in the order of their positions."""
    if not isinstance(index, dict):
        return ""
    words = [
        (position, word)
        for word, positions in index.items()
        for position in _elements(positions)
        if isinstance(position, int)
    ]
    return " ".join(word for _, word in sorted(words))


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

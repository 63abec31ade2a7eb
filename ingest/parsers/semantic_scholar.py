"""Extract papers from Semantic Scholar's API and from its data sets of papers and of abstracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, first_text, scalar_text
from ingest.parsers.json_fields import author_names, nested


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object has a Semantic Scholar id together with a title or an abstract."""
    has_id = not value.keys().isdisjoint(["paperId", "corpusId", "corpusid", "externalIds", "externalids"])
    return has_id and not value.keys().isdisjoint(["title", "abstract"])


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of a paper."""
    external_ids = value.get("externalIds") or value.get("externalids")
    venues = value.get("venue"), nested(value, "publicationVenue", "name"), nested(value, "journal", "name")
    return Fields(
        title=scalar_text(value.get("title")),
        abstract=scalar_text(value.get("abstract")),
        authors=author_names(value.get("authors")),
        year=first_text(value.get("year"), value.get("publicationDate"), value.get("publicationdate")),
        venue=first_text(*venues),
        doi=scalar_text(nested(external_ids, "DOI")),
        arxiv_id=scalar_text(nested(external_ids, "ArXiv")),
        url=scalar_text(value.get("url")),
    )

"""Semantic Scholar: papers of its interface, and lines of its data sets of papers and of abstracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.parsers.fields import Fields, first, string
from ingest.parsers.json_fields import inner, people


def recognises(value: Mapping[str, Any]) -> bool:
    """One of its own numbers beside a title or an abstract."""
    numbered = not value.keys().isdisjoint(["paperId", "corpusId", "corpusid", "externalIds", "externalids"])
    return numbered and not value.keys().isdisjoint(["title", "abstract"])


def fields(value: Mapping[str, Any]) -> Fields:
    """What a paper says."""
    others = value.get("externalIds") or value.get("externalids")
    return Fields(
        title=string(value.get("title")),
        abstract=string(value.get("abstract")),
        authors=people(value.get("authors")),
        year=first(value.get("year"), value.get("publicationDate"), value.get("publicationdate")),
        venue=first(value.get("venue"), inner(value, "publicationVenue", "name"), inner(value, "journal", "name")),
        doi=string(inner(others, "DOI")),
        arxiv_id=string(inner(others, "ArXiv")),
        url=string(value.get("url")),
    )

"""Extract papers from CSL-JSON, as written by Zotero and Pandoc, and from Crossref's similar works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assistant.text.links import is_arxiv_doi
from ingest.parsers.fields import Fields, first_text, scalar_text, split_keywords
from ingest.parsers.json_fields import author_names, nested

_DATES = ("issued", "published", "published-print", "published-online", "created")


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object has a title together with keys that only CSL uses."""
    return "title" in value and (
        not value.keys().isdisjoint(["container-title", "DOI", "URL", "citation-key"])
        or isinstance(value.get("issued"), dict)
        or isinstance(value.get("author"), list)
    )


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of an item."""
    return Fields(
        title=scalar_text(value["title"]),
        abstract=scalar_text(value.get("abstract")),
        authors=author_names(value.get("author")),
        year=next((year for key in _DATES if (year := _year(value.get(key)))), ""),
        venue=first_text(value.get("container-title"), value.get("event-title"), value.get("publisher")),
        doi=scalar_text(value.get("DOI")),
        arxiv_id=" ".join(filter(None, (_number(value), _preprint_doi(value.get("relation"))))),
        url=scalar_text(value.get("URL")),
        keywords=split_keywords(scalar_text(value.get("keyword"))),
    )


def _number(value: Mapping[str, Any]) -> str:
    """Return where programs write the arXiv id of a preprint, if they do."""
    return first_text(value.get("number"), value.get("archive_location"), value.get("note"))


def _preprint_doi(relation: Any) -> str:
    """Return the DOI of the preprint on arXiv that Crossref relates a work to; empty where it relates none."""
    related = nested(relation, "has-preprint")
    dois = [scalar_text(nested(work, "id")) for work in related] if isinstance(related, list) else []
    return next((doi for doi in dois if is_arxiv_doi(doi)), "")


def _year(date: Any) -> str:
    """Return the year of a date given as parts or as text."""
    parts = nested(date, "date-parts")
    if isinstance(parts, list) and parts and isinstance(parts[0], list):
        return scalar_text(parts[0])
    return first_text(nested(date, "raw"), nested(date, "literal"), date)

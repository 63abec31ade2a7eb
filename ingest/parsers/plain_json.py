"""Extract papers from objects with plain keys: paperchat's own, BEIR's corpora, and hand-written ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.parsers import columns
from ingest.parsers.columns import recognized_fields
from ingest.parsers.fields import Fields, scalar_text, split_keywords
from ingest.parsers.json_fields import author_names

# Those of paperchat's own exports come first.
_KEYWORDS = ("tags", "keywords")


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object has an abstract, a title and another field, or the keys of a BEIR document."""
    fields = recognized_fields(value.keys())
    return "abstract" in fields or ("title" in fields and len(fields) > 1) or _is_beir(value)


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of an object. BEIR stores the abstract under `text`."""
    scalars = {key: scalar_text(item) for key, item in value.items()}
    fields = columns.extract(scalars)
    authors = next((author_names(item) for key, item in value.items() if recognized_fields([key]) == {"authors"}), [])
    text = scalars.get("text", "") if _is_beir(value) else ""
    keywords = [keyword for name in _KEYWORDS for keyword in _keywords(value.get(name))]
    return replace(fields, abstract=fields.abstract or text, authors=authors, keywords=keywords)


def _keywords(value: Any) -> list[str]:
    return list(map(scalar_text, value)) if isinstance(value, list) else split_keywords(scalar_text(value))


def _is_beir(value: Mapping[str, Any]) -> bool:
    # A BEIR query has an id and a text too, but no title.
    return {"_id", "title", "text"} <= value.keys()

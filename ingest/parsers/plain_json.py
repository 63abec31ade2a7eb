"""Objects whose keys say what they are: paperchat's own, BEIR's corpora, and whatever people write themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.parsers import columns
from ingest.parsers.fields import Fields, string
from ingest.parsers.json_fields import people


def recognises(value: Mapping[str, Any]) -> bool:
    """Keys for an abstract, or for a title and something else; or the keys of a document of BEIR's."""
    known = columns.known(value.keys())
    return "abstract" in known or ("title" in known and len(known) > 1) or _is_beir(value)


def fields(value: Mapping[str, Any]) -> Fields:
    """What an object says. BEIR calls an abstract `text`."""
    scalars = {key: string(each) for key, each in value.items()}
    found = columns.fields(scalars)
    named = next((people(each) for key, each in value.items() if columns.known([key]) == {"authors"}), [])
    text = scalars.get("text", "") if _is_beir(value) else ""
    return replace(found, abstract=found.abstract or text, authors=named)


def _is_beir(value: Mapping[str, Any]) -> bool:
    # A query of BEIR's has a number and a text too, but no title.
    return {"_id", "title", "text"} <= value.keys()

"""OpenReview notes, of both versions of its interface: values stand in `content`, in the second one level deeper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.parsers.fields import Fields, string
from ingest.parsers.json_fields import inner, people


def recognises(value: Mapping[str, Any]) -> bool:
    """A note with a title."""
    noted = not value.keys().isdisjoint(["forum", "invitation", "invitations"])
    return noted and isinstance(value.get("content"), dict) and "title" in value["content"]


def fields(value: Mapping[str, Any]) -> Fields:
    """What a submission says; of a reply, such as a review, nothing."""
    content = value["content"]
    number = string(value.get("forum")) or string(value.get("id"))
    if value.get("replyto"):
        return Fields()
    return Fields(
        title=string(_plain(content, "title")),
        abstract=string(_plain(content, "abstract")),
        authors=people(_plain(content, "authors")),
        year=_year(value.get("pdate") or value.get("odate") or value.get("cdate")),
        venue=string(_plain(content, "venue")),
        url=f"https://openreview.net/forum?id={number}" if number else "",
    )


def _plain(content: Any, key: str) -> Any:
    value = inner(content, key)
    return value.get("value") if isinstance(value, dict) else value


def _year(milliseconds: Any) -> str:
    try:
        return str(datetime.fromtimestamp(milliseconds / 1000, UTC).year)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""

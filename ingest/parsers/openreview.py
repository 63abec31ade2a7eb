"""Extract OpenReview notes of both API versions: values are in `content`, one level deeper in version 2."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ingest.parsers.fields import Fields, first_text, scalar_text
from ingest.parsers.json_fields import author_names, nested


def matches(value: Mapping[str, Any]) -> bool:
    """Return whether an object is a note with a title."""
    is_note = not value.keys().isdisjoint(["forum", "invitation", "invitations"])
    return is_note and isinstance(value.get("content"), dict) and "title" in value["content"]


def extract(value: Mapping[str, Any]) -> Fields:
    """Return the fields of a submission; none for a reply, such as a review."""
    if value.get("replyto"):
        return Fields()
    content = value["content"]
    forum = first_text(value.get("forum"), value.get("id"))
    return Fields(
        title=scalar_text(_content_value(content, "title")),
        abstract=scalar_text(_content_value(content, "abstract")),
        authors=author_names(_content_value(content, "authors")),
        year=_year(value.get("pdate") or value.get("odate") or value.get("cdate")),
        venue=scalar_text(_content_value(content, "venue")),
        url=f"https://openreview.net/forum?id={forum}" if forum else "",
    )


def _content_value(content: Any, key: str) -> Any:
    value = nested(content, key)
    return value.get("value") if isinstance(value, dict) else value


def _year(milliseconds: Any) -> str:
    try:
        return str(datetime.fromtimestamp(milliseconds / 1000, UTC).year)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""

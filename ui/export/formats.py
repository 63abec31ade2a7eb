"""The formats of an export, apart from what writes them, so that the command line starts quickly."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """The formats of an export."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    BIBTEX = "bibtex"
    RIS = "ris"
    CSL_JSON = "csl-json"
    JSONL = "jsonl"


class DigestFormat(StrEnum):
    """The formats of a digest."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"

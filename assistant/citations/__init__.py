"""Resolve the citations of a text to papers."""

from assistant.citations.assembly import build_citations, cited_text
from assistant.citations.mentions import mask_references
from assistant.citations.resolution import Resolved, resolve, settled
from assistant.citations.stripping import has_marker, numbers, remove_markers, renumber, strip, strip_trailing

__all__ = [
    "Resolved",
    "build_citations",
    "cited_text",
    "has_marker",
    "mask_references",
    "numbers",
    "remove_markers",
    "renumber",
    "resolve",
    "settled",
    "strip",
    "strip_trailing",
]

"""Resolve the citations of a text to papers."""

from assistant.citations.resolution import Resolved, has_marker, numbers, resolve, settled, strip

__all__ = ["Resolved", "has_marker", "numbers", "resolve", "settled", "strip"]

"""Files to records. One module a layout; which one a file has is told from its content, never from its name."""

from ingest.parsers.detect import files, read

__all__ = ["files", "read"]

"""Write the check of a draft as one HTML file, on which no script runs."""

from __future__ import annotations

from assistant.drafts.values import DraftCheck
from ui.export.sarif import sarif
from ui.export.transcripts import page_html
from ui.page.check_view import check_html

__all__ = ["html", "sarif"]


def html(check: DraftCheck, name: str) -> str:
    """Return the report of the draft with this name, for light and dark screens."""
    return page_html(f"Check of {name}", check_html(check))

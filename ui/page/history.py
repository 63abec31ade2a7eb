"""Render the list of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.storage.conversation_schema import Conversation
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from ui.cli.terminal import counted
from ui.export.formats import ExportFormat
from ui.page.turns import attribute, button, line_html

# The formats of an exported conversation, each with its label and file extension.
EXPORTS = {
    ExportFormat.MARKDOWN: ("Markdown", "md"),
    ExportFormat.HTML: ("HTML", "html"),
    ExportFormat.BIBTEX: ("BibTeX", "bib"),
    ExportFormat.RIS: ("RIS", "ris"),
    ExportFormat.CSL_JSON: ("CSL-JSON", "json"),
}
MAX_LISTED = 100


def history_html(listed: Sequence[Conversation], count: int, open_id: str | None, words: str = "") -> str:
    """Return the conversations, newest first, with the open one marked as current."""
    if not listed:
        hint = "No conversation has these words." if words else "Your conversations are stored and appear here."
        return f'<p class="quiet">{hint}</p>'
    items = "".join(_item(conversation, conversation.id == open_id) for conversation in listed)
    older = count - len(listed)
    note = f'<p class="quiet">{counted(older, "older conversation")}: the search finds them.</p>' if older > 0 else ""
    return f'<ul class="talks">{items}</ul>{note}'


def _item(conversation: Conversation, is_open: bool) -> str:
    title = one_line(to_text(conversation.title)) or "Untitled"
    current = ' aria-current="true"' if is_open else ""
    about = f"{conversation.changed[:10]}, {counted(conversation.turns, 'question')}"
    return (
        f'<li class="talk"{current}><button type="button" class="act open" name="open" '
        f'value="{attribute(conversation.id)}">'
        f'<span class="title">{escape(title)}</span><span class="quiet">{line_html(about)}</span></button>'
        f"{_menu(conversation.id, title)}</li>"
    )


def _menu(conversation_id: str, title: str) -> str:
    exports = "".join(
        button("export", f"{conversation_id}:{name}", f"Save as {label}") for name, (label, _) in EXPORTS.items()
    )
    rename = button("rename", conversation_id, "Rename")
    delete = button("delete", conversation_id, "Delete")
    return (
        f'<details class="menu"><summary><span class="unseen">Actions for {escape(title)}</span>'
        f'<span aria-hidden="true">⋯</span></summary><span class="items">{rename}{exports}{delete}</span></details>'
    )

"""The list of conversations to HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from assistant.storage.conversation_schema import Conversation
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from ui.cli.terminal import counted
from ui.export.transcripts import ExportFormat
from ui.page.turns import attribute, button, line

# What a conversation can be written as, how that is called, and how the file's name ends.
EXPORTS = {
    ExportFormat.MARKDOWN: ("Markdown", "md"),
    ExportFormat.HTML: ("HTML", "html"),
    ExportFormat.BIBTEX: ("BibTeX", "bib"),
    ExportFormat.RIS: ("RIS", "ris"),
    ExportFormat.CSL_JSON: ("CSL-JSON", "json"),
}
MOST_LISTED = 100


def history_html(listed: Sequence[Conversation], count: int, open_id: str | None, words: str = "") -> str:
    """The conversations, the newest first, the open one said to be so."""
    if not listed:
        said = "No conversation has these words." if words else "Your conversations appear here. They are kept."
        return f'<p class="quiet">{said}</p>'
    items = "".join(_item(each, each.id == open_id) for each in listed)
    more = count - len(listed)
    rest = f'<p class="quiet">{counted(more, "older conversation")}: the search finds them.</p>' if more > 0 else ""
    return f'<ul class="talks">{items}</ul>{rest}'


def _item(conversation: Conversation, is_open: bool) -> str:
    title = one_line(to_text(conversation.title)) or "Untitled"
    current = ' aria-current="true"' if is_open else ""
    about = f"{conversation.changed[:10]}, {counted(conversation.turns, 'question')}"
    return (
        f'<li class="talk"{current}><button type="button" class="act open" name="open" '
        f'value="{attribute(conversation.id)}">'
        f'<span class="title">{escape(title)}</span><span class="quiet">{line(about)}</span></button>'
        f"{_menu(conversation.id, title)}</li>"
    )


def _menu(conversation_id: str, title: str) -> str:
    exports = "".join(
        button("export", f"{conversation_id}:{form}", f"Save as {name}") for form, (name, _) in EXPORTS.items()
    )
    rename = button("rename", conversation_id, "Rename")
    delete = button("delete", conversation_id, "Delete")
    return (
        f'<details class="menu"><summary><span class="unseen">What to do with {escape(title)}</span>'
        f'<span aria-hidden="true">⋯</span></summary><span class="items">{rename}{exports}{delete}</span></details>'
    )

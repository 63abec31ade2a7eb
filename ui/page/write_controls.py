"""The parts of the page that change the library: refused to visitors who may only read, and hidden from them.

Both follow from the tables here. A button of the library or of a table that is not said to read counts as one that
changes the library.
"""

from __future__ import annotations

from collections.abc import Collection

from ui.permissions import Permissions

# Buttons that leave the library as it is, in the list of papers and in a table.
SHELF_READS = frozenset({"choose", "sort", "turn", "show"})
SHEET_READS = frozenset({"tabulate", "cell", "save"})
# Buttons that change it, by the part of the page that they stand in; empty for any part.
_WRITES = {
    "": "keep keepnew sample fetch",
    "#library": "begin collect gather uncollect entitle discard annotate remove unmerge",
    "#again": "reindex zotero",
    "#sheet": "keeprows correct nothing forget",
    ".guide": "choose",
}
_MENUS = ("keepnew", "gather")
_OTHERS = ("#files", "#news-look", ".guide .naming", "#sheet .correcting input")


def require(name: str, reads: Collection[str], permissions: Permissions) -> None:
    """Raise ForbiddenError for a button that changes the library, where the visitor may only read."""
    if name not in reads:
        permissions.require_write()


def style_html(permissions: Permissions) -> str:
    """Return what hides from a visitor what is not allowed; empty where everything is."""
    if permissions.may_write:
        return ""
    buttons = [f'{part} button.act[name="{name}"]' for part, names in _WRITES.items() for name in names.split()]
    menus = [f'details.menu:has(button[name="{name}"])' for name in _MENUS]
    return f"<style>{', '.join([*buttons, *menus, *_OTHERS])} {{ display: none !important; }}</style>"

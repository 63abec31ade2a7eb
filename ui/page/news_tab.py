"""The news tab: what watched sources have brought, digest by digest, with the number of unread ones on its label."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from assistant.errors import PaperchatError
from assistant.storage.watches import Watch
from ui import watching
from ui.export.watch_digest import DatedDigest, body_html, digests_of
from ui.page import render
from ui.page.backend import PageBackend
from ui.page.events import QUIET, permissions_of, request_owner
from ui.permissions import Permissions

LABEL = "News"
# Digests that are shown.
_SHOWN = 20
_EMPTY = (
    '<p class="quiet">No digest yet. <code>paperchat watch add</code> begins to watch a search of arXiv, a feed or a '
    "folder; what is new is listed here, with the answers that it changes.</p>"
)


def build(page: gr.Blocks, backend: PageBackend, tab: gr.Tab) -> None:
    """Build the tab with its events; opening it marks what it shows as read."""
    with gr.Row(elem_id="news-row"):
        look = gr.Button("Look for new papers now", size="sm", elem_id="news-look", scale=0, min_width=220)
        status = gr.HTML(elem_id="news-status")
    news = gr.HTML(elem_id="news")

    def open_tab(request: gr.Request) -> list[Any]:
        owner = request_owner(request)
        shown = news_html(backend, owner)
        return [shown, gr.Tab(label=label(mark_read(backend, owner)))]

    def count(request: gr.Request) -> Any:
        return gr.Tab(label=label(backend.catalog.digests.unread(request_owner(request))))

    def look_now(request: gr.Request) -> Iterator[list[Any]]:
        yield ['<p class="waiting">Looking ...</p>', gr.skip()]
        result = look_for_papers(backend, permissions_of(request))
        yield [result, news_html(backend, request_owner(request))]

    tab.select(open_tab, None, [news, tab], **QUIET)
    page.load(count, None, tab, **QUIET)
    look.click(look_now, None, [status, news], concurrency_limit=1, **QUIET)


def label(unread: int) -> str:
    """Return the label of the tab, with the number of unread digests if there are any."""
    return f"{LABEL} ({unread})" if unread else LABEL


def news_html(backend: PageBackend, owner: str) -> str:
    """Return the watched sources and the last digests as an owner sees them; unread ones are open."""
    try:
        dated = list(digests_of(backend.catalog.digests.recent(owner, _SHOWN)))
        watches = backend.catalog.watches.all()
    except PaperchatError as error:
        return render.error_html(str(error))
    return f'<div class="digests">{_watches_html(watches)}{"".join(map(_digest_html, dated)) or _EMPTY}</div>'


def mark_read(backend: PageBackend, owner: str) -> int:
    """Mark the digests that are shown as read, and return how many others are unread."""
    digests = backend.catalog.digests
    digests.mark_read([stored.id for stored in digests.recent(owner, _SHOWN) if not stored.is_read], owner)
    return digests.unread(owner)


def look_for_papers(backend: PageBackend, permissions: Permissions) -> str:
    """Run the watches and make a digest; return what came of it, or why the visitor may not, as HTML."""
    try:
        permissions.require_write()
        watches = backend.catalog.watches.all()
        if not watches:
            return '<p class="quiet">Nothing is watched.</p>'
        library = backend.library()
        outcomes = list(watching.look(backend.settings, library, watches))
        watching.digest(backend.settings, backend.shared_assistant())
    except PaperchatError as error:
        return render.error_html(str(error))
    lines = [f"{outcome.source}: {outcome.error or f'{outcome.new} new'}" for outcome in outcomes]
    return "".join(f'<p class="quiet">{render.plain_html(line)}</p>' for line in lines)


def _watches_html(watches: list[Watch]) -> str:
    if not watches:
        return ""
    items = "".join(f"<li>{render.plain_html(watch.source)}{_failure_html(watch)}</li>" for watch in watches)
    return f"<details><summary>Watched: {len(watches)}</summary><ul>{items}</ul></details>"


def _failure_html(watch: Watch) -> str:
    return f' <span class="warned">{render.plain_html(watch.error)}</span>' if watch.error else ""


def _digest_html(dated: DatedDigest) -> str:
    opened, unread = ("", "") if dated.is_read else (" open", '<span class="unread">new</span> ')
    return (
        f'<details class="digest"{opened}><summary>{unread}{escape(dated.title)}</summary>'
        f"{body_html(dated.digest)}</details>"
    )

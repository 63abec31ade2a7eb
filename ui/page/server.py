"""The page on the network: built, served, closed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from ui.page import layout, library_tab, settings_tab
from ui.page.backend import Backend, in_background
from ui.page.cookies import CookieMiddleware
from ui.page.events import QUIETLY, bind
from ui.page.middleware import LoginGate, OriginCheck, is_loopback
from ui.page.table import Shelf
from ui.users import Users

_PORTS_TRIED = 50
_LARGEST_UPLOAD = "200mb"
# Seconds: how often it is looked for uploads that nobody has had read, and after how long they go.
_FORGOTTEN = (3600, 24 * 3600)
_WAITING = "After a few wrong passwords the next ones are not looked at for a while."
# The half-bold letters of this font that gradio brings are two: whatever is not plain is bold.
_FONT: list[gr.themes.Font | str] = [
    gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)),
    "system-ui",
    "sans-serif",
]
_STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, slots=True)
class Served:
    """A page that is being served, and where."""

    page: Any
    backend: Backend
    address: str

    def close(self) -> None:
        """Stop serving and release the files."""
        self.page.close()
        self.backend.close()


def serve(settings: Settings, announce: Callable[[str], Any]) -> None:
    """Serve the page until interrupted. The models load while the page starts; a question waits for them.

    Raises PaperchatError where the library cannot be opened or no port is free.
    """
    assistant = in_background(lambda: factory.open_assistant(settings))
    served = start(settings, assistant)
    announce(f"paperchat is at {served.address} - press Ctrl+C to stop.")
    try:
        assistant.result()
        served.page.block_thread()
    finally:
        served.close()


def start(settings: Settings, assistant: Future[Assistant]) -> Served:
    """Serve the page in the background. Port 0 is any free one.

    Raises SettingsError where others than this machine's users could reach it without logging in.
    """
    users = _users(settings)
    # gradio keeps what is uploaded in a directory that it would share with everybody on the machine.
    os.environ["GRADIO_TEMP_DIR"] = str(_private(settings.home / "uploads"))
    # It would also make a table of all earlier events after each one, which nobody here reads.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    backend = Backend(settings, assistant)
    page, port = build(backend), _free_port(settings.host, settings.port)
    page.queue(default_concurrency_limit=4).launch(
        server_name=settings.host,
        server_port=port,
        quiet=True,
        prevent_thread_lock=True,
        css_paths=_STYLE,
        theme=gr.themes.Default(primary_hue="blue", font=_FONT),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        auth=LoginGate(users).authenticate if users else None,
        auth_message=_WAITING if users else None,
        max_file_size=_LARGEST_UPLOAD,
        app_kwargs={"middleware": [Middleware(OriginCheck, is_private=users is None), Middleware(CookieMiddleware)]},
    )
    return Served(page, backend, f"http://{settings.host}:{port}")


def build(backend: Backend) -> Any:
    """The page with its events, not served yet."""
    with gr.Blocks(title="paperchat", fill_width=True, analytics_enabled=False, delete_cache=_FORGOTTEN) as page:
        layout.masthead()
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Chat"):
                parts = layout.chat()
                bind(page, parts, backend)
            with gr.Tab("Library") as library:
                table = library_tab.build(backend, parts.bridge)
                library.select(lambda: library_tab.shown(backend, Shelf()), None, table, **QUIETLY)
            with gr.Tab("Settings"):
                settings_tab.build(backend, parts.choices)
    return page


def _private(folder: Path) -> Path:
    """The folder, made for this user alone."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _users(settings: Settings) -> Users | None:
    """Who may log in; None where nobody needs to, because the page is for this machine alone."""
    if settings.auth:
        return Users(settings.auth)
    if not is_loopback(settings.host):
        raise SettingsError(
            f"host is {settings.host}, which others can reach: name a file of users with PAPERCHAT_AUTH, "
            "as written by: paperchat user FILE NAME"
        )
    return None


def _free_port(host: str, first: int) -> int:
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SettingsError(f"no port from {first} on is free; choose another with --port")

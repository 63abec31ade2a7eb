"""Build, serve and close the page."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from ui.api.app import PathDispatch
from ui.api.request_log import RequestLog
from ui.api.server import DELIVERY_SECONDS, Api, Mounts, no_mounts, open_api, serve_until_stopped
from ui.background import load_in_background
from ui.lifecycle import StopSignals, remaining
from ui.logs import configure_server
from ui.page import check_tab, layout, library_tab, news_tab, settings_tab, table_tab
from ui.page.answer_links import AnswerLinks
from ui.page.backend import PageBackend
from ui.page.cookies import AsgiMessage, CookieMiddleware, page_user
from ui.page.events import bind_events, bind_permissions
from ui.page.middleware import LoginGate, OriginCheck, VisitorCheck, is_loopback
from ui.ports import free_port
from ui.users import Users
from ui.watching import BackgroundWatch

_LARGEST_UPLOAD = "200mb"
# Seconds: how often abandoned uploads are looked for, and after how long they are deleted.
_UPLOAD_CLEANUP = (3600, 24 * 3600)
_LOGIN_HINT = "After a few wrong passwords, further attempts are refused for a while."
# gradio ships this font in two weights only.
_FONT: list[gr.themes.Font | str] = [
    gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)),
    "system-ui",
    "sans-serif",
]
_STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, slots=True)
class RunningPage:
    """A page that is being served, and its address."""

    page: Any
    backend: PageBackend
    api: Api
    address: str
    watch: BackgroundWatch

    def close(self, seconds: float = 0) -> None:
        """Stop serving and release the files; what is being answered may go on for so many seconds."""
        ends = time.monotonic() + seconds
        self.api.operations.lifecycle.stop(seconds)
        self.watch.close(remaining(ends))
        self.page.close(verbose=False)
        self.api.backend.close()
        self.backend.close()


def serve(settings: Settings, announce: Callable[[str], Any], mounts: Mounts = no_mounts) -> None:
    """Serve the page and the API until SIGINT or SIGTERM. The models load meanwhile; a question waits for them.

    The process ends here where threads are left. Raises PaperchatError if the library or the models cannot be opened,
    or no port is free.
    """
    serving = Event()
    with StopSignals() as signals:
        assistant = load_in_background(lambda: factory.open_assistant(settings), after=serving)
        running = start(settings, assistant, mounts)
        serving.set()  # two threads that import take longer than one after the other, and the page is wanted first
        announce(f"paperchat is at {running.address} - press Ctrl+C to stop.")
        announce(f"Programs and assistants find it at {running.api.addresses(running.address)}.")
        serve_until_stopped(signals, assistant, running, settings.shutdown_seconds)


def start(settings: Settings, assistant: Future[Assistant], mounts: Mounts = no_mounts) -> RunningPage:
    """Serve the page and the API in the background; port 0 stands for any free one.

    Raises SettingsError if it would be reachable from other machines without a login, and if it does not start.
    """
    users = _open_users(settings)
    # By default gradio keeps uploads in a directory that all users of the machine share.
    os.environ["GRADIO_TEMP_DIR"] = str(_private_folder(settings.home / "uploads"))
    # It would also build a table of all earlier events after each one, which is not used here.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)
    gate = LoginGate(users) if users else None
    api = open_api(settings, assistant, users, gate, mounts)
    backend = PageBackend(settings, assistant, api.operations)
    page, port = build(backend), free_port(settings.host, settings.port)
    try:
        _launch(page, backend, api, port, gate, users)
    except OSError as error:  # gradio waits five seconds for its server, and says then that the port is taken
        api.backend.close()
        backend.close()
        raise SettingsError(
            f"the page did not start at port {port} within five seconds: the machine is very busy, or another program "
            "has just taken the port; try again, or choose another with --port"
        ) from error
    watch = BackgroundWatch(settings, backend.shared_assistant)
    return RunningPage(page, backend, api, f"http://{settings.host}:{port}", watch)


def _page_caller(scope: AsgiMessage) -> str:
    name = page_user(scope)
    return f"user:{name}" if name else ""


def _launch(page: Any, backend: PageBackend, api: Api, port: int, gate: LoginGate | None, users: Users | None) -> None:
    middleware = [
        Middleware(RequestLog, metrics=api.operations.metrics, name_caller=_page_caller),
        # It has its own checks, and so stands before those of the page.
        Middleware(PathDispatch, other=api.app, prefixes=api.prefixes),
        Middleware(OriginCheck, is_private=gate is None),
        Middleware(VisitorCheck, users=users, library=backend.settings.library),
        Middleware(CookieMiddleware),
        Middleware(AnswerLinks, find=backend.linked_turn),
    ]
    page.queue(default_concurrency_limit=4).launch(
        server_name=backend.settings.host,
        server_port=port,
        quiet=True,
        prevent_thread_lock=True,
        css_paths=_STYLE,
        theme=gr.themes.Default(primary_hue="blue", font=_FONT),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        auth=gate.authenticate if gate else None,
        auth_message=_LOGIN_HINT if gate else None,
        max_file_size=_LARGEST_UPLOAD,
        app_kwargs={"middleware": middleware, "lifespan": lambda _: api.lifespan()},
    )
    page.server.config.timeout_graceful_shutdown = DELIVERY_SECONDS
    configure_server(backend.settings.log_format)


def build(backend: PageBackend) -> Any:
    """Build the page with its events, without serving it."""
    with gr.Blocks(title="paperchat", fill_width=True, analytics_enabled=False, delete_cache=_UPLOAD_CLEANUP) as page:
        layout.build_masthead()
        bind_permissions(page)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Chat"):
                parts = layout.build_chat()
                bind_events(page, parts, backend)
            with gr.Tab("Check"):
                check_tab.build(backend, parts.settings)
            with gr.Tab("Library") as library:
                library_tab.build(backend, parts, library)
            with gr.Tab("Table"):
                table_tab.build(backend, parts.bridge, parts.settings)
            with gr.Tab(news_tab.LABEL) as news:
                news_tab.build(page, backend, news)
            with gr.Tab("Settings"):
                settings_tab.build(backend, parts.settings)
    return page


def _private_folder(folder: Path) -> Path:
    """Create a folder that only this user can read."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _open_users(settings: Settings) -> Users | None:
    """Return who may log in; None if the page serves this machine alone. Raises SettingsError."""
    if settings.auth:
        return Users(settings.auth)
    if not is_loopback(settings.host):
        raise SettingsError(
            f"host is {settings.host}, which other machines can reach: name a file of users with "
            "PAPERCHAT_AUTH, as written by: paperchat user FILE NAME"
        )
    return None

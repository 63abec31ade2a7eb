"""Serve the API, alone or beside the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

import uvicorn

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from ui.api.access import open_access
from ui.api.app import JSON_PREFIX, Lifespan, MountedApp, build_app, lifespan, prefixes
from ui.api.backend import ApiBackend
from ui.api.operations_routes import PATHS as OPERATIONS_PATHS
from ui.api.request_log import RequestLog
from ui.background import load_in_background
from ui.lifecycle import StopSignals, end_process, remaining
from ui.logs import configure_server
from ui.operations import Operations
from ui.page.cookies import AsgiApp
from ui.page.middleware import LoginGate
from ui.ports import free_port
from ui.users import Users
from ui.watching import BackgroundWatch
from ui.work_queue import WorkQueue

# Makes what is served beside the API, with its libraries and its queue.
Mounts = Callable[[ApiBackend, WorkQueue], Sequence[MountedApp]]
# Seconds that the last pieces of replies have to reach their clients; then streams that nobody writes to are cut.
DELIVERY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Api:
    """The API with its checks; `prefixes` are the paths that it serves, `lifespan` is open meanwhile."""

    app: AsgiApp
    backend: ApiBackend
    prefixes: tuple[str, ...]
    lifespan: Lifespan
    operations: Operations

    def addresses(self, server: str) -> str:
        """Return where programs find what is served at the address of a server, in words."""
        prefixes = (prefix for prefix in self.prefixes if prefix not in OPERATIONS_PATHS)
        paths = [JSON_PREFIX if JSON_PREFIX.startswith(prefix) else prefix for prefix in prefixes]
        *others, last = (f"{server}{path}" for path in paths)
        return f"{', '.join(others)} and {last}"


@dataclass(frozen=True, slots=True)
class RunningApi:
    """An API that is being served alone, and its address."""

    server: uvicorn.Server
    thread: threading.Thread
    api: Api
    address: str
    watch: BackgroundWatch

    def close(self, seconds: float = 0) -> None:
        """Stop serving and release the files; what is being answered may go on for so many seconds."""
        ends = time.monotonic() + seconds
        self.api.operations.lifecycle.stop(seconds)
        self.watch.close(remaining(ends))
        self.server.should_exit = True
        self.thread.join(2 * DELIVERY_SECONDS)
        self.api.backend.close()


def no_mounts(_backend: ApiBackend, _queue: WorkQueue) -> Sequence[MountedApp]:
    """Return that nothing is served beside the API."""
    return ()


def open_api(
    settings: Settings,
    assistant: Future[Assistant],
    users: Users | None,
    gate: LoginGate | None,
    mounts: Mounts = no_mounts,
    queue: WorkQueue | None = None,
) -> Api:
    """Return the API over a library. Raises SettingsError where it would be open to other machines, LibraryError."""
    queue = queue or WorkQueue()
    operations = Operations(queue.lifecycle)
    operations.metrics.watch_queue(queue)
    operations.metrics.watch_lifecycle(queue.lifecycle)
    backend = ApiBackend(settings, assistant, operations)
    try:
        mounted = mounts(backend, queue)
        app = build_app(backend, queue, mounted)
        checked = open_access(app, settings, gate, users, queue.lifecycle)
    except BaseException:
        backend.close()
        raise
    return Api(checked, backend, prefixes(mounted), lifespan(mounted), operations)


def serve(settings: Settings, announce: Callable[[str], Any], mounts: Mounts = no_mounts) -> None:
    """Serve the API alone until SIGINT or SIGTERM. The models load meanwhile; a question waits for them.

    The process ends here where threads are left. Raises PaperchatError if the library or the models cannot be opened,
    or no port is free.
    """
    serving = Event()
    with StopSignals() as signals:
        assistant = load_in_background(lambda: factory.open_assistant(settings), after=serving)
        running = start(settings, assistant, mounts)
        announce(f"paperchat's API is at {running.api.addresses(running.address)} - press Ctrl+C to stop.")
        serving.set()
        serve_until_stopped(signals, assistant, running, settings.shutdown_seconds)


class Running(Protocol):
    """A server that has been started."""

    def close(self, seconds: float) -> None:
        """Stop serving and release the files; what is being answered may go on for so many seconds."""


def serve_until_stopped(signals: StopSignals, assistant: Future[Assistant], running: Running, seconds: float) -> None:
    """Wait for a signal, then stop the server. Raises PaperchatError at once where the models cannot be loaded."""
    assistant.add_done_callback(lambda loaded: signals.stop() if loaded.exception() else None)
    try:
        signals.wait()
    finally:
        running.close(seconds)
    if assistant.done() and (error := assistant.exception()):
        raise error
    end_process()


def start(
    settings: Settings, assistant: Future[Assistant], mounts: Mounts = no_mounts, queue: WorkQueue | None = None
) -> RunningApi:
    """Serve the API in the background; port 0 stands for any free one. Raises SettingsError."""
    users = Users(settings.auth) if settings.auth else None
    api = open_api(settings, assistant, users, LoginGate(users) if users else None, mounts, queue)
    port = free_port(settings.host, settings.port)
    config = uvicorn.Config(
        RequestLog(api.app, api.operations.metrics),
        host=settings.host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=DELIVERY_SECONDS,
        server_header=False,
    )
    configure_server(settings.log_format)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        thread.join(0.01)
    if not server.started:
        api.backend.close()
        raise SettingsError(f"the address {settings.host}, port {port}, cannot be listened at")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    watch = BackgroundWatch(settings, assistant.result)
    return RunningApi(server, thread, api, f"http://{host}:{port}", watch)

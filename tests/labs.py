"""A library that several machines share: PostgreSQL and Chroma servers, and a home for each machine."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from assistant.settings import Settings, load
from tests.chromas import ChromaProcess
from tests.postgres import PostgresProcess

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Lab:
    """Machines whose homes are folders, with one library of their own on servers that others may use too."""

    folder: Path
    database: str
    store: str
    library: str = field(default_factory=lambda: f"lab-{secrets.token_hex(6)}")

    def at(self, machine: str, **changes: object) -> Settings:
        """The settings of a machine."""
        values = {"database": self.database, "store": self.store, "library": self.library} | changes
        return load(home=self.folder / machine, **values)


def lab(folder: Path, postgres: PostgresProcess, chroma: ChromaProcess) -> Lab:
    return Lab(folder, postgres.address, chroma.address)


class Wire:
    """What connects clients with a server: it passes bytes on, until it is cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._front = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._front.getsockname()[1]
        self._passes = threading.Event()
        self._passes.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def cut(self) -> None:
        """Pass nothing on any more; neither side is told."""
        self._passes.clear()

    def mend(self) -> None:
        """Pass everything on again."""
        self._passes.set()

    def accept(self) -> None:
        """Connect whoever comes, until the wire is removed."""
        with suppress(OSError):
            while True:
                client, _ = self._front.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                self._start(self._pass, client, server)
                self._start(self._pass, server, client)

    def remove(self) -> None:
        self.mend()
        for each in (self._front, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _start(self, task: object, *ends: socket.socket) -> None:
        thread = threading.Thread(target=task, args=ends)  # type: ignore[arg-type]
        thread.start()
        self._threads.append(thread)

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self._passes.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Yield a wire to a server on this machine."""
    wire = Wire(port)
    accepting = threading.Thread(target=wire.accept)
    accepting.start()
    try:
        yield wire
    finally:
        wire.remove()
        accepting.join()

"""A real Chroma server on loopback, `chroma run`, to be started, stopped and killed."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from assistant.storage.chroma_location import ChromaServer

_PATIENCE = 60.0
_PAUSE = 0.02


class ChromaProcess:
    """The server of one folder, always at the same address; what it was given outlives its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.folder)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=os.environ | {"RUST_LOG": "error"},
            )
        ends = time.monotonic() + _PATIENCE
        while not self._listens():
            assert self._process.poll() is None, f"chroma run ended: see {log.name}"
            assert time.monotonic() < ends, f"chroma run does not listen: see {log.name}"
            time.sleep(_PAUSE)

    def stop(self) -> None:
        """End it as an operator would, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def location(self, seconds: float = 30.0) -> ChromaServer:
        """A collection of its own on the server."""
        name = f"test-{secrets.token_hex(8)}"
        return ChromaServer(self.address, name, "default_tenant", "default_database", seconds)

    def _end(self, signal_number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

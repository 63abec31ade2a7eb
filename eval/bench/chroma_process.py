"""A Chroma server of its own for a measurement: `chroma run` on loopback, with its memory and what it has written."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from assistant.errors import LibraryError

_START_SECONDS, _PAUSE = 300.0, 0.02
_KILOBYTE = 1024


class ChromaProcess:
    """The server of one folder, always at the same address. `stop` it at the end; what it prints is in a log beside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._log = folder, folder.with_name(f"{folder.name}.log")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server and wait until it listens. Raises LibraryError where it ends or does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self.folder)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command of an installed package
                [*command, "--host", "127.0.0.1", "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=os.environ | {"RUST_LOG": "error"},
            )
        ends = time.monotonic() + _START_SECONDS
        while not self._is_listening():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise LibraryError(f"chroma run does not listen at {self.address}: see {self._log}")
            time.sleep(_PAUSE)

    def stop(self) -> None:
        """End the server as an operator would, if it runs."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """End the server and start it again, so that it has nothing in memory."""
        self.stop()
        self.start()

    def memory_bytes(self) -> int:
        """Return the resident memory of the server; 0 where the system does not tell it in /proc."""
        with suppress(OSError):
            status = Path(f"/proc/{self._process.pid if self._process else 0}/status").read_text(encoding="ascii")
            return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * _KILOBYTE
        return 0

    def processor_seconds(self) -> float:
        """Return the processor time that the server has taken since it started; 0 where /proc does not tell it."""
        with suppress(OSError):
            status = Path(f"/proc/{self._process.pid if self._process else 0}/stat").read_text(encoding="ascii")
            user, system = status.rsplit(")", 1)[1].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def disk_bytes(self) -> int:
        """Return the size of everything that the server has written."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    def _end(self, signal_number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait()
            self._process = None

    def _is_listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

"""A real PostgreSQL server on loopback, to be started, stopped and killed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import sqlalchemy as sa

from assistant.storage.postgres import PostgresSchema

_PATIENCE = 60.0
_PAUSE = 0.02
# As an administrator's account the server refuses to run; Debian's package brings one for it.
_ACCOUNT = "postgres"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",  # a killed process loses nothing by it; only a power failure would
    "max_connections=200",
    "log_min_messages=fatal",
)


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where it is not installed."""
    program = shutil.which("postgres")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *([Path(program).parent] if program else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def postgres_process() -> Iterator[PostgresProcess]:
    """Yield a server with an empty database, which has started; skip the test where PostgreSQL is not installed."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    # Not below pytest's own folders, which the server's account may not enter.
    with TemporaryDirectory(prefix="paperchat-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
        Path(folder).chmod(0o755)
        server = PostgresProcess(Path(folder) / "data")
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


class PostgresProcess:
    """The server of one folder, always at the same address; what it was given outlives its processes."""

    def __init__(self, folder: Path) -> None:
        programs = binaries()
        assert programs is not None
        self._programs, self.folder = programs, folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Create the files of an empty server."""
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, _ACCOUNT, _ACCOUNT)
        options = ["--username=tester", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = self._as_account([str(self._programs / "initdb"), "--pgdata", str(self.folder), *options])
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._process, ends = self._launch(), time.monotonic() + _PATIENCE
        while not self._accepts():
            assert time.monotonic() < ends, f"postgres accepts no connection: see {self._log}"
            time.sleep(_PAUSE)
            if self._process.poll() is not None:  # other processes of a killed server may not have ended yet
                self._process = self._launch()

    def stop(self) -> None:
        """End it as an operator in a hurry would, if it runs: connections are closed."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of the server, whose other processes then end by themselves."""
        self._end(signal.SIGKILL)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    @property
    def address(self) -> str:
        """The URL of the database, as the settings take it."""
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/postgres"

    def schema(self) -> PostgresSchema:
        """A schema of its own on the server, which does not exist yet."""
        return PostgresSchema(sa.make_url(self.address), f"test-{secrets.token_hex(8)}")

    @property
    def _log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = [part for setting in (*_SETTINGS, f"port={self.port}") for part in ("-c", setting)]
        command = self._as_account([str(self._programs / "postgres"), "-D", str(self.folder), *settings])
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd="/")

    def _as_account(self, command: Sequence[str]) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        account = [f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups"]
        return ["setpriv", *account, "--", *command]

    def _end(self, signal_number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait()
            self._process = None

    def _accepts(self) -> bool:
        try:
            psycopg.connect(host="127.0.0.1", port=self.port, user="tester", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

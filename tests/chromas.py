"""A real Chroma server on loopback, `chroma run`, to be started, stopped and killed."""

from __future__ import annotations

import secrets
import signal

from assistant.storage.chroma_location import ChromaServer
from eval.bench import chroma_process


class ChromaProcess(chroma_process.ChromaProcess):
    """A server that can be killed, and holds collections of any number of tests."""

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def location(self, seconds: float = 30.0) -> ChromaServer:
        """A collection of its own on the server."""
        name = f"test-{secrets.token_hex(8)}"
        return ChromaServer(self.address, name, "default_tenant", "default_database", seconds)

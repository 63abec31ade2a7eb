"""What stands before a Chroma server: passes requests on, unless it does something else instead."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.chromas import ChromaProcess

Script = Callable[["Visitor"], None]


class Visitor(BaseHTTPRequestHandler):
    """A request at the front of a server."""

    server: Front

    def do_GET(self) -> None:
        (self.server.instead or pass_on)(self)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def content(self) -> bytes:
        """Read what was sent with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, body: bytes, kind: str = "application/json", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Front(ThreadingHTTPServer):
    """What stands before a Chroma server and passes everything on, unless it does something else `instead`."""

    daemon_threads = True

    def __init__(self, behind: ChromaProcess) -> None:
        super().__init__(("127.0.0.1", 0), Visitor)
        self.behind, self.closing = behind, threading.Event()
        self.instead: Script | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def before(behind: ChromaProcess) -> Iterator[Front]:
    """Run a front of a server."""
    with Front(behind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def pass_on(visitor: Visitor) -> None:
    forward(visitor, visitor.content())


def forward(visitor: Visitor, content: bytes) -> None:
    """Let the server behind answer a request with this content."""
    with closing(http.client.HTTPConnection("127.0.0.1", visitor.server.behind.port)) as chroma:
        chroma.request(visitor.command, visitor.path, content, {"Content-Type": "application/json"})
        reply = chroma.getresponse()
        visitor.answer(reply.status, reply.read())


class HostedLimits:
    """Refuses requests for their size as Chroma's hosted service does, with its messages, and counts what it refuses.

    It tells that a write may have more rows than it takes, and of a read without a limit it returns a part in silence.
    """

    def __init__(self, rows: int, told: int) -> None:
        self.rows, self.told = rows, told
        self.refused: list[str] = []
        self.passed: list[tuple[str, int]] = []

    def __call__(self, visitor: Visitor) -> None:
        content, action = visitor.content(), visitor.path.rsplit("/", 1)[-1]
        if action == "pre-flight-checks":
            visitor.answer(200, json.dumps({"max_batch_size": self.told, "supports_base64_encoding": True}).encode())
            return
        body: dict[str, Any] = json.loads(content) if content else {}
        if action == "get" and body.get("limit") is None:
            content = json.dumps(body | {"limit": self.rows}).encode()
        for quota, used, limit in self._quotas(action, body):
            if used > limit:
                self._refuse(visitor, quota, action, used, limit)
                return
        self.passed.append((action, len(body.get("ids") or ())))
        forward(visitor, content)

    def _quotas(self, action: str, body: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
        """Yield the quotas that count for a request, with what it uses of each, and the limit."""
        of_ids = "Number of IDs to filter by in a query" if action == "get" else "Number of records"
        yield of_ids, len(body.get("ids") or ()), self.rows
        yield "Limit value", body.get("limit") or 0, self.rows
        yield "Number of results", body.get("n_results") or 0, self.rows
        for value in (body.get("metadata") or {}).values():
            yield "Size of metadata dictionary value (bytes)", len(str(value).encode()), 256

    def _refuse(self, visitor: Visitor, quota: str, action: str, used: int, limit: int) -> None:
        self.refused.append(quota)
        exceeded = f"'{quota}' exceeded quota limit for action '{action.title()}'"
        said = f"{exceeded}: current usage of {used} exceeds limit of {limit}"
        visitor.answer(422, json.dumps({"error": "ChromaError", "message": f"Quota exceeded: {said}"}).encode())


def takes_bytes(most: int) -> Script:
    """Return a script that refuses longer requests, as a proxy does: it does not tell how long they may be."""

    def answer(visitor: Visitor) -> None:
        content = visitor.content()
        if len(content) > most and re.search("/upsert$", visitor.path):
            visitor.answer(413, b"<html><h1>413 Request Entity Too Large", "text/html")
        else:
            forward(visitor, content)

    return answer

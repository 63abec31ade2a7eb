"""A server of language models on loopback that replies, or fails, as a test scripts it.

It implements the streaming chat of OpenAI's protocol (`/v1`) and of Ollama's (`/api`), and lists its models, with what
is in `described`. A script is a function that
writes the reply to a request. Scripts follow each other and the last one stays: `server.script(busy, says("Bees
dance [1]."))` is busy once and then answers.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any

Json = dict[str, Any]


class Request(BaseHTTPRequestHandler):
    """A request, whose JSON is `asked`. A script replies through its methods."""

    server: ModelServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: Json

    def do_GET(self) -> None:
        """Send the list of models, or the properties of the server."""
        names, described = self.server.models, self.server.described
        lists: Json = {"/v1/models": {"data": [{"id": name} | described for name in names]}}
        lists["/api/tags"] = {"models": [{"name": name} for name in names]}
        lists["/props"] = described
        self.server.looked.append(self.path)
        body = self.server.list_instead or json.dumps(lists[self.path]).encode()
        self.body(200, body)

    def do_POST(self) -> None:
        """Describe a model, or run the next script."""
        length = int(self.headers["Content-Length"])
        if self.path == "/api/show":
            self.server.looked.append(self.path)
            self.rfile.read(length)
            self.body(200, json.dumps(self.server.described).encode())
            return
        self.asked = json.loads(self.rfile.read(length)) | {"path": self.path, "key": self.headers["Authorization"]}
        with suppress(OSError):  # the client has hung up
            self.server.next_script(self.asked)(self)
        self.close_connection = True

    @property
    def question(self) -> str:
        """Return the last message."""
        return str(self.asked["messages"][-1]["content"])

    def body(self, status: int, content: bytes, **headers: str) -> None:
        """Send a complete response. A header's name has _ for -."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def begin(self) -> None:
        """Start a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson" if self.is_ollama else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def say(self, piece: str, finish: str | None = None) -> None:
        """Send a piece of the reply as an event of the protocol."""
        message = {"role": "assistant", "content": piece}
        if self.is_ollama:
            event: Json = {"model": "small", "message": message, "done": bool(finish), "done_reason": finish}
            self.raw(json.dumps(event).encode() + b"\n")
        else:
            choice = {"index": 0, "delta": message, "finish_reason": finish}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small", "choices": [choice]}
            self.raw(f"data: {json.dumps(event)}\n\n".encode())

    def raw(self, content: bytes) -> None:
        """Send a chunk of the stream."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()

    def end(self, finish: str | None = "stop") -> None:
        """End the stream, with the reason as the protocol gives it; without a reason the reply just stops."""
        if finish:
            self.say("", finish)
        if finish and not self.is_ollama:
            self.raw(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def wait_until_left(self) -> None:
        """Wait until the client hangs up or the server closes."""
        while not self.server.closing.is_set():
            ready, _, _ = select.select([self.connection], [], [], 0.01)
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                self.server.left.set()
                return

    @property
    def is_ollama(self) -> bool:
        """Return whether the request uses Ollama's protocol."""
        return self.path.startswith("/api")

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


Script = Callable[[Request], None]


class ModelServer(ThreadingHTTPServer):
    """Records the requests in `asked`, and whether a client has `left` before the end of a reply."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, listens: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Request, bind_and_activate=False)
        self.server_bind()
        if listens:
            self.server_activate()
        self.asked: list[Json] = []
        self.looked: list[str] = []
        self.models: list[str] = ["small", "large:1b"]
        self.list_instead = b""
        self.described: Json = {}
        self.left, self.closing = threading.Event(), threading.Event()
        self._scripts: Iterator[Script] = repeat(says("It is ", "wärmer ", "there [1]."))

    @property
    def address(self) -> str:
        """Return its address for OLLAMA_HOST."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def base(self) -> str:
        """Return its address for OPENAI_API_BASE."""
        return f"{self.address}/v1"

    def script(self, *scripts: Script) -> None:
        """Set the scripts of the next requests; the last one stays."""

        def following() -> Iterator[Script]:
            yield from scripts
            yield from repeat(scripts[-1])

        self._scripts = following()

    def next_script(self, asked: Json) -> Script:
        """Record a request and return its script."""
        self.asked.append(asked)
        return next(self._scripts)


@contextmanager
def serving(listens: bool = True) -> Iterator[ModelServer]:
    """Run a server. One that does not listen refuses connections until it is activated."""
    with ModelServer(listens) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


def says(*pieces: str, finish: str | None = "stop") -> Script:
    """Return a script that writes these pieces and ends."""
    return writes(lambda _: pieces, finish)


def writes(pieces_for: Callable[[str], tuple[str, ...]], finish: str | None = "stop") -> Script:
    """Return a script that writes the pieces for the last message and ends."""

    def reply(request: Request) -> None:
        request.begin()
        for piece in pieces_for(request.question):
            request.say(piece)
        request.end(finish)

    return reply


def fails(status: int, message: str, **headers: str) -> Script:
    """Return a script that fails with a status. A header's name has _ for -."""
    body = {"error": {"message": message}}
    return lambda request: request.body(status, json.dumps(body).encode(), **headers)


def stalls(*pieces: str) -> Script:
    """Return a script that writes these pieces and then falls silent; without any, it does not even begin."""

    def reply(request: Request) -> None:
        if pieces:
            request.begin()
        for piece in pieces:
            request.say(piece)
        request.wait_until_left()

    return reply


def breaks_off(*pieces: str) -> Script:
    """Return a script that writes these pieces and drops the connection; without any, before it begins."""

    def reply(request: Request) -> None:
        if pieces:
            request.begin()
        for piece in pieces:
            request.say(piece)
        request.connection.shutdown(socket.SHUT_RDWR)

    return reply


def sends(content: bytes, *pieces: str) -> Script:
    """Return a script that writes these pieces, then these bytes unchanged, and ends."""

    def reply(request: Request) -> None:
        request.begin()
        for piece in pieces:
            request.say(piece)
        request.raw(content)
        request.end()

    return reply


def endless(piece: str) -> Script:
    """Return a script that writes the piece without end."""

    def reply(request: Request) -> None:
        request.begin()
        try:
            while not request.server.closing.is_set():
                request.say(piece)
        finally:
            request.server.left.set()

    return reply

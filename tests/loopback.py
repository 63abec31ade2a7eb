"""A server of language models on loopback: it writes what a test has scripted, or fails in the way that it has.

It speaks what streaming a chat takes of OpenAI's protocol (`/v1`) and of Ollama's (`/api`). A script is a function of
the request that writes the reply; those below can be put together: `server.script(busy, says("Bees dance [1]."))` is
busy once and then answers, for the last script stays.
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
    """One request; a script replies through its methods. `asked` is its JSON."""

    server: ModelServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: Json

    def do_GET(self) -> None:
        """The list of models."""
        names = self.server.models
        lists = {"/v1/models": {"data": [{"id": name} for name in names]}}
        lists["/api/tags"] = {"models": [{"name": name} for name in names]}
        self.server.looked.append(self.path)
        body = self.server.list_instead or json.dumps(lists[self.path]).encode()
        self.body(200, body)

    def do_POST(self) -> None:
        """A chat."""
        length = int(self.headers["Content-Length"])
        self.asked = json.loads(self.rfile.read(length)) | {"path": self.path, "key": self.headers["Authorization"]}
        with suppress(OSError):  # whoever asked has gone
            self.server.next_script(self.asked)(self)
        self.close_connection = True

    @property
    def question(self) -> str:
        """The last message."""
        return str(self.asked["messages"][-1]["content"])

    def body(self, status: int, content: bytes, **headers: str) -> None:
        """A whole reply at once."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def begin(self) -> None:
        """Begin a stream."""
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson" if self.is_ollama else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def say(self, piece: str, finish: str | None = None) -> None:
        """A piece of the stream, as the protocol has it."""
        message = {"role": "assistant", "content": piece}
        if self.is_ollama:
            event: Json = {"model": "small", "message": message, "done": bool(finish), "done_reason": finish}
            self.raw(json.dumps(event).encode() + b"\n")
        else:
            choice = {"index": 0, "delta": message, "finish_reason": finish}
            event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small", "choices": [choice]}
            self.raw(f"data: {json.dumps(event)}\n\n".encode())

    def raw(self, content: bytes) -> None:
        """Bytes of the stream, whatever they are."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()

    def end(self, finish: str | None = "stop") -> None:
        """The proper end of a stream, with the reason for it; without one the reply merely stops."""
        if finish:
            self.say("", finish)
        if finish and not self.is_ollama:
            self.raw(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def wait_until_left(self) -> None:
        """Be silent until whoever asked hangs up, or the server closes."""
        while not self.server.closing.is_set():
            ready, _, _ = select.select([self.connection], [], [], 0.01)
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                self.server.left.set()
                return

    @property
    def is_ollama(self) -> bool:
        """Whether the request is one to Ollama."""
        return self.path.startswith("/api")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


Script = Callable[[Request], None]


class ModelServer(ThreadingHTTPServer):
    """Keeps what it was `asked`, and whether somebody has `left` before the end of a reply."""

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
        self.left, self.closing = threading.Event(), threading.Event()
        self._scripts: Iterator[Script] = repeat(says("It is ", "wärmer ", "there [1]."))

    @property
    def address(self) -> str:
        """Where it is, as OLLAMA_HOST has it."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def base(self) -> str:
        """Where it is, as OPENAI_API_BASE has it."""
        return f"{self.address}/v1"

    def script(self, *scripts: Script) -> None:
        """What to do with the next requests, one after another; the last stays."""

        def following() -> Iterator[Script]:
            yield from scripts
            yield from repeat(scripts[-1])

        self._scripts = following()

    def next_script(self, asked: Json) -> Script:
        """The script of this request."""
        self.asked.append(asked)
        return next(self._scripts)


@contextmanager
def serving(listens: bool = True) -> Iterator[ModelServer]:
    """A running server; one that does not listen refuses connections until it is activated."""
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
    """Writes these pieces and ends."""
    return writes(lambda _: pieces, finish)


def writes(pieces_for: Callable[[str], tuple[str, ...]], finish: str | None = "stop") -> Script:
    """Writes the pieces that belong to the last message, and ends."""

    def reply(request: Request) -> None:
        request.begin()
        for piece in pieces_for(request.question):
            request.say(piece)
        request.end(finish)

    return reply


def fails(status: int, message: str, **headers: str) -> Script:
    """Refuses with a status; a header's name has _ for -."""
    body = {"error": {"message": message}}
    return lambda request: request.body(status, json.dumps(body).encode(), **headers)


def stalls(*pieces: str) -> Script:
    """Writes these pieces and then nothing more; without any, it does not even begin."""

    def reply(request: Request) -> None:
        if pieces:
            request.begin()
        for piece in pieces:
            request.say(piece)
        request.wait_until_left()

    return reply


def breaks_off(*pieces: str) -> Script:
    """Writes these pieces and closes the connection in the middle of the stream; without any, before it begins."""

    def reply(request: Request) -> None:
        if pieces:
            request.begin()
        for piece in pieces:
            request.say(piece)
        request.connection.shutdown(socket.SHUT_RDWR)

    return reply


def sends(content: bytes, *pieces: str) -> Script:
    """Writes these pieces, then these bytes as they are, and ends."""

    def reply(request: Request) -> None:
        request.begin()
        for piece in pieces:
            request.say(piece)
        request.raw(content)
        request.end()

    return reply


def endless(piece: str) -> Script:
    """Writes the piece for ever."""

    def reply(request: Request) -> None:
        request.begin()
        try:
            while not request.server.closing.is_set():
                request.say(piece)
        finally:
            request.server.left.set()

    return reply

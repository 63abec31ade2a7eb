"""A server of documents on loopback that speaks as services of papers do, well and badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

ABSTRACT = "Bees dance to tell item other where flowers are. We film {} dances and read them with a network of our own."


@dataclass
class Reply:
    """What the server says, or does."""

    body: str | bytes = ""
    status: int = 200
    kind: str = "application/atom+xml"
    headers: dict[str, str] = field(default_factory=dict)
    silent: float = 0.0


@dataclass
class Service:
    """A server on this machine: `answer` returns the reply to a request, `requests` lists the requests."""

    address: str
    answer: Callable[[str, dict[str, str]], Reply]
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on loopback, past any proxy of the machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Record the request and send the reply."""
            url = urlsplit(self.path)
            parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
            running.requests.append((unquote(url.path), parameters))
            running.headers.append(dict(self.headers))
            reply = running.answer(unquote(url.path), parameters)
            time.sleep(reply.silent)
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.kind, "Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Whoever asked may have given up."""

    with pytest.MonkeyPatch.context() as patched, Server(("127.0.0.1", 0), Handler) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            patched.delenv(name, raising=False)
        running = Service(f"http://127.0.0.1:{server.server_address[1]}", lambda *_: Reply(status=404))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        server.shutdown()
        thread.join()


def entry(arxiv_id: str, abstract: str = "", title: str = "", comment: str = "") -> str:
    """Return an entry of arXiv's feed."""
    commented = f"<arxiv:comment>{comment}</arxiv:comment>" if comment else ""
    return (
        f"<entry><id>http://arxiv.org/abs/{arxiv_id}v2</id><published>2017-06-12T17:57:34Z</published>"
        f"<title>{title or f'How bees dance, part {arxiv_id}'}</title>"
        f"<summary>{abstract or ABSTRACT.format(arxiv_id)}</summary>"
        f"<author><name>Ada Moss</name></author><author><name>Bo Ant</name></author>{commented}</entry>"
    )


def feed(*entries: str) -> Reply:
    """Return a feed of arXiv."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>Query</title>'
    return Reply(f"{head}{''.join(entries)}</feed>")

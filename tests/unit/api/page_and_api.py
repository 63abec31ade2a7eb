"""Serve the page with the API in a process of its own, and print what the addresses of both reply.

gradio leaves event loops to the garbage collector, which a test would report.
"""

from __future__ import annotations

import json
from concurrent.futures import Future

import httpx

from assistant import factory
from assistant.chat import Assistant
from assistant.settings import load
from tests.conftest import BEES
from tests.fakes import WordHashEmbedder, WordOverlapReader
from tests.unit.api.echo import Echo
from ui.page import server


def main() -> None:
    settings = load(port=0)
    library = factory.open_library(settings, WordHashEmbedder())
    ready: Future[Assistant] = Future()
    ready.set_result(Assistant(library, settings, WordOverlapReader()))
    running = server.start(settings, ready, Echo().mounts)
    with httpx.Client(base_url=running.address, timeout=60) as client:
        stream = {"question": BEES, "stream": True}
        replies = {
            "page": client.get("/"),
            "answer": client.post("/api/v1/ask", json={"question": BEES}),
            "stream": client.post("/api/v1/ask", json=stream),
            "models": client.get("/v1/models"),
            "mounted": client.get("/mcp"),
            "foreign": client.get("/v1/models", headers={"origin": "http://evil.example"}),
            "unknown": client.get("/api/v1/none"),
            "of the page": client.get("/answer/none"),
        }
    written = {name: [reply.status_code, reply.headers["content-type"], reply.text] for name, reply in replies.items()}
    running.close()
    library.close()
    print(json.dumps(written))


if __name__ == "__main__":
    main()

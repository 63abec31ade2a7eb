"""Serve a page with a login in a process of its own, act on it as several users, and print what came of it as JSON.

gradio leaves event loops to the garbage collector, which a test would report.
"""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import Future
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import httpx

from assistant import factory
from assistant.chat import Assistant
from assistant.schema import Record
from assistant.settings import load
from assistant.storage.library import Library
from ingest import pipeline
from tests.conftest import BEES
from tests.fakes import WordHashEmbedder, WordOverlapReader
from ui import logs, users
from ui.page import server
from ui.permissions import Permissions, Role

PASSWORD = "correct horse battery"  # noqa: S105
ABSTRACT = "Honey bees communicate the place of flowers by a waggle dance. Older bees dance longer."
OTHER = "Glaciers in the northern Alps lost a third of their ice. Small glaciers shrink the fastest."


class Visitor:
    """A browser of one user, which sends events as the page's script does."""

    def __init__(self, running: server.RunningPage, name: str) -> None:
        self._page = running.page
        self.client = httpx.Client(base_url=running.address, timeout=120, headers={"origin": running.address})
        self.login = self.client.post("/login", data={"username": name, "password": PASSWORD}).status_code
        self._session = f"session-{name}"

    def send(self, function: str, target: str, *data: Any, **event: str) -> Any:
        """Send an event to the function of this name that this kind of event calls; return all its outputs."""
        [number] = [
            number
            for number, block in self._page.fns.items()
            if getattr(block.fn, "__name__", "") == function and target in [kind for _, kind in block.targets]
        ]
        body = {"data": list(data), "fn_index": number, "session_hash": self._session, "event_data": event or None}
        joined = self.client.post("/gradio_api/queue/join", json=body)
        if joined.status_code != 200:
            return joined.text
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as replies:
            outputs = []
            for line in replies.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                outputs += [message["output"]] if "output" in message else []
                if message.get("msg") == "process_completed":
                    break
        return outputs


def state_of(library: Library) -> str:
    """Return a digest of everything that users of the library share."""
    catalog = library.catalog
    papers = list(catalog.papers.all())
    content = (papers, catalog.collections.all(), catalog.annotations.of_papers([paper.id for paper in papers]))
    return hashlib.sha256(repr(content).encode()).hexdigest()


def writes(paper: str, turn: int) -> dict[str, tuple[Any, ...]]:
    """Return, by a name for each, the events that change the library."""

    def shelf(button: str, value: str = "", **text: Any) -> tuple[Any, ...]:
        return ("press", "shelf", [None], {"name": button, "value": value, "text": json.dumps(text)})

    states = [None, None, None]
    return {
        "begin": shelf("begin", name="Mine"),
        "gather": shelf("gather", name="All"),
        "annotate": shelf("annotate", paper, note="Read this"),
        "keepnew": ("press", "act", states, {"name": "keepnew", "value": str(turn), "text": "Kept"}),
        "sample": ("press", "act", states, {"name": "sample", "value": "", "text": ""}),
        "reindex": ("reindex", "reindex", [None], {}),
        "zotero": ("zotero", "zotero", [None], {}),
        "correct": ("press", "sheet", [None, None], {"name": "correct", "value": f"0 {paper}", "text": "12"}),
        "look": ("look_now", "click", [], {}),
        "upload": ("upload", "upload", [None, None], {}),
        "unmerge": shelf("unmerge", paper),
        "remove": shelf("remove", paper),
    }


def act(visitor: Visitor, library: Library, paper: str, turn: int) -> tuple[list[str], list[str]]:
    """Send every event that changes the library; return those that did, and those that were refused by the role."""
    changed, refused = [], []
    for name, (function, target, data, event) in writes(paper, turn).items():
        before = state_of(library)
        output = visitor.send(function, target, *data, **event)
        changed += [name] if state_of(library) != before else []
        refused += [name] if "need role write" in json.dumps(output) else []
    return changed, refused


def main() -> None:
    log = io.StringIO()
    with redirect_stderr(log):
        logs.configure("info", logs.JSON)
    file = Path.cwd() / "users"
    for name, permissions in {
        "reader": Permissions(Role.READ),
        "writer": Permissions(),
        "removed": Permissions(),
        "stranger": Permissions(libraries=("ice",)),
    }.items():
        users.add_user(file, name, PASSWORD, permissions)
    settings = load(port=0, auth=file)
    library = factory.open_library(settings, WordHashEmbedder())
    pipeline.ingest_records([Record(ABSTRACT, "Bees"), Record(OTHER, "Ice")], library)
    ready: Future[Assistant] = Future()
    ready.set_result(Assistant(library, settings, WordOverlapReader()))
    running = server.start(settings, ready)
    paper = next(iter(library.catalog.papers.all())).id
    reader, writer, removed, stranger = (Visitor(running, name) for name in ("reader", "writer", "removed", "stranger"))
    results: dict[str, Any] = {"writes": list(writes(paper, 0))}
    first = removed.client.get("/").status_code
    lines = [line for line in file.read_text().splitlines() if not line.startswith("removed:")]
    file.write_text("\n".join(lines) + "\n")
    results["page of the removed"] = [first, removed.client.get("/").status_code]
    blocked = stranger.client.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0, "session_hash": "x"})
    results["page of the stranger"] = [stranger.client.get("/").status_code, blocked.status_code]
    for turn, (name, visitor) in enumerate((("reader", reader), ("writer", writer)), 1):
        answer = visitor.send("respond", "submit", BEES, None, None, None)
        results[f"answer of the {name}"] = "waggle dance" in json.dumps(answer)
        results[f"style of the {name}"] = visitor.send("hide", "load")[-1]["data"][0]
        results[f"changed by the {name}"], results[f"refused to the {name}"] = act(visitor, library, paper, turn)
    requests = [json.loads(line) for line in log.getvalue().splitlines()]
    results["logged"] = sorted({(line.get("caller", ""), line["route"]) for line in requests if "route" in line})
    running.close()
    library.close()
    print(json.dumps(results))


if __name__ == "__main__":
    main()

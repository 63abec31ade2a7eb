"""Nothing is asked of any network: the real model, an ingest, a question and the page, under guard.

All of it happens once, in a process of its own in which nothing else could have set a switch before.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Not from conftest, which would be imported, with all that it imports, before the guard stands.
ROOT = Path(__file__).parent.parent.parent
PAPERS = ROOT / "seeds" / "004_18424ad33afb765c.txt"
QUESTION = "How well does Goedel-Prover prove theorems?"

pytestmark = pytest.mark.timeout(900)

# Loopback in the ways that addresses spell it, and what binds without leaving the machine.
LOOPBACK = {"127.0.0.1", "localhost", "::1", "0.0.0.0", "", None}  # noqa: S104
OUTWARD: dict[str, Callable[..., Any]] = {
    "socket.connect": lambda _, address: address,
    "socket.sendto": lambda _, address: address,
    "socket.getaddrinfo": lambda host, *_: (host,),
    "socket.gethostbyname": lambda host: (host,),
    "socket.gethostbyaddr": lambda host: (host,),
}


def visit(home: str) -> None:
    """What the process does; prints what came of it as JSON."""
    forbidden = guard()
    from assistant import factory
    from assistant.settings import load

    settings = load(home=Path(home))
    factory.restrict_network_access(settings)
    import_everything()
    from ingest import pipeline

    assistant = factory.open_assistant(settings)
    report = pipeline.ingest([PAPERS], assistant.library)
    answer = assistant.ask(QUESTION)
    page = fetch_page(assistant)
    print(json.dumps({"forbidden": forbidden, "added": report.added, "text": answer.text, "page": page}))


def guard() -> list[str]:
    """From now on every attempt to reach another machine is refused, and kept in the list that is returned."""
    forbidden: list[str] = []

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in OUTWARD:
            return
        address = OUTWARD[event](*arguments)
        host = address[0] if isinstance(address, tuple) else None  # AF_UNIX has a path
        host = host.decode() if isinstance(host, bytes) else host
        if host not in LOOPBACK:
            forbidden.append(f"{event} {address}")
            raise ConnectionRefusedError(f"{event} {address} is not allowed here")

    sys.addaudithook(refuse)
    return forbidden


def import_everything() -> None:
    """Every module of the project, and with them whatever they import."""
    import importlib
    import pkgutil

    for name in ("assistant", "ingest", "ui", "eval"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)


def fetch_page(assistant: Any) -> str:
    """The page as a browser gets it, from a server in this process."""
    import urllib.request
    from concurrent.futures import Future

    from ui.page import server

    loaded: Future[Any] = Future()
    loaded.set_result(assistant)
    served = server.start(assistant.settings.model_copy(update={"port": 0}), loaded)
    with urllib.request.urlopen(served.address, timeout=60) as reply:  # noqa: S310
        content = reply.read().decode()
    served.close()
    return str(content)


def clean() -> dict[str, str]:
    """The environment without any switch that could keep a library quiet, and without proxies."""
    switches = ("HF_", "ORT_", "GRADIO_", "ANONYMIZED_", "TOKENIZERS_", "TRANSFORMERS_", "PAPERCHAT_")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(switches) and name.casefold() not in proxies
    }


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of a visit."""
    folder = tmp_path_factory.mktemp("offline")
    script = f"from tests.faults.test_offline import visit; visit({str(folder / 'home')!r})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=clean() | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_no_other_machine_is_ever_asked(visited: dict[str, Any]) -> None:
    assert visited["forbidden"] == []


@pytest.mark.slow
def test_the_papers_went_in_and_a_question_was_answered_with_a_citation(visited: dict[str, Any]) -> None:
    assert visited["added"] == 10
    assert "[1]" in visited["text"]


@pytest.mark.slow
def test_the_page_was_served_and_names_nothing_from_elsewhere(visited: dict[str, Any]) -> None:
    assert '"title":"paperchat"' in visited["page"]
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']*""", visited["page"]) == []


def test_the_guard_notices_who_asks_elsewhere() -> None:
    script = """
from tests.faults.test_offline import guard
forbidden = guard()
import socket, urllib.request
for ask in (lambda: urllib.request.urlopen("http://example.org/"),
            lambda: socket.create_connection(("192.0.2.1", 80)),
            lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 53)),
            lambda: socket.create_connection(("127.0.0.1", 1))):
    try:
        ask()
    except OSError:
        pass
print(len(forbidden))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=clean(), capture_output=True, text=True)
    assert done.stdout.strip() == "3"

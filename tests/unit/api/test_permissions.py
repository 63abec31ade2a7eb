"""Roles and libraries: what a caller may not do is refused by every face of the server, and owners stay apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import LIBRARIES, Settings
from ingest import pipeline
from tests.conftest import BEES, ROOT, Paperchat
from tests.fakes import WordHashEmbedder
from tests.unit.api.conftest import Serve
from ui import users
from ui.api import app
from ui.api.tokens import Tokens, open_tokens
from ui.mcp.mounting import mount_mcp
from ui.permissions import UNLIMITED, ForbiddenError, Permissions, Role, checked_libraries

EVERYWHERE = "0.0.0.0"  # noqa: S104
PASSWORD = "correct horse battery"  # noqa: S105
# Requests that change nothing that others see: questions, and a caller's own conversations and digests.
OWN = {
    ("POST", "/api/v1/search"),
    ("POST", "/api/v1/verify"),
    ("POST", "/api/v1/sides"),
    ("POST", "/api/v1/ask"),
    ("POST", "/api/v1/check"),
    ("POST", "/api/v1/tables"),
    ("POST", "/api/v1/digests/{number}/read"),
    ("PATCH", "/api/v1/conversations/{conversation_id}"),
    ("DELETE", "/api/v1/conversations/{conversation_id}"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/embeddings"),
}
Lab = Callable[[], httpx.Client]


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    return open_tokens(settings)


@pytest.fixture
def lab(serve_api: Serve, assistant: Assistant, settings: Settings, tokens: Tokens, tmp_path: Path) -> str:
    """Return the address of a server of the three papers, with another library named `ice`."""
    ice = settings.model_copy(update={"home": settings.home / LIBRARIES / "ice", "library": "ice"})
    file = tmp_path / "ice.txt"
    file.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    with closing(factory.open_library(ice, WordHashEmbedder())) as library:
        pipeline.ingest([file], library)
    tokens.add("first", Role.READ)
    running = serve_api(assistant, mounts=mount_mcp, host=EVERYWHERE)
    return running.address.replace(EVERYWHERE, "127.0.0.1")


@pytest.fixture
def client(lab: str, tokens: Tokens) -> Iterator[Callable[..., httpx.Client]]:
    """Return a function that makes a client with a token of these permissions."""
    opened: list[httpx.Client] = []

    def make(name: str, role: Role = Role.READ, *libraries: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {tokens.add(name, role, libraries)}"}
        opened.append(httpx.Client(base_url=lab, headers=headers, timeout=60))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def routes() -> list[tuple[str, str]]:
    """Return the method and the template of every route of the API."""
    return [
        (method, f"{prefix}{route.path}")
        for prefix, router in app._ROUTERS
        for route in app._routes_of(router)
        for method in route.methods or ()
    ]


def filled(template: str) -> str:
    """Return the path of a route with some value in each place."""
    return template.replace("{number}", "1").replace(":path", "").replace("{", "").replace("}", "")


def test_a_reader_is_refused_every_request_that_is_not_said_to_be_reading(client: Callable[..., httpx.Client]) -> None:
    reader, writer = client("reader"), client("writer", Role.WRITE)
    changing = [(method, path) for method, path in routes() if method not in ("GET", "HEAD")]
    assert {request for request in changing if request in OWN} == OWN
    assert len(changing) > len(OWN)
    for method, path in changing:
        if (method, path) not in OWN:
            refused = reader.request(method, filled(path), json={})
            assert (refused.status_code, "role write" in refused.text) == (403, True), (method, path)
            assert writer.request(method, filled(path), json={}).status_code != 403, (method, path)


def test_a_caller_who_is_limited_to_a_library_reaches_no_other(client: Callable[..., httpx.Client]) -> None:
    limited = client("limited", Role.WRITE, "ice")
    assert limited.get("/api/v1/papers", params={"library": "ice"}).json()["total"] == 1
    answer = limited.post("/api/v1/ask", json={"question": "Why does ice float?", "library": "ice", "save": True})
    assert answer.status_code == 200
    listed = limited.get("/api/v1/conversations", params={"library": "ice"}).json()
    assert listed["total"] == 1
    assert [model["id"] for model in limited.get("/v1/models").json()["data"]] == ["paperchat/ice"]
    needs_no_library = ("/api/v1/health", "/api/v1/docs", "/v1/models", "/healthz", "/readyz")
    for method, path in routes():
        if method == "GET" and path not in needs_no_library:
            refused = limited.get(filled(path).replace("/name", "/paperchat"))
            assert (refused.status_code, "may not use" in refused.text) == (403, True), path
    for path, body in (
        ("/api/v1/ask", {"question": BEES}),
        ("/api/v1/ask", {"question": BEES, "stream": True}),
        ("/api/v1/search", {"query": BEES}),
        ("/api/v1/verify", {"claim": BEES}),
        ("/api/v1/tables", {"columns": ["year"]}),
        ("/api/v1/papers", {"records": [{"abstract": "Cats purr."}]}),
        ("/v1/chat/completions", {"model": "paperchat", "messages": [{"role": "user", "content": BEES}]}),
        ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    ):
        refused = limited.post(path, json=body)
        assert (refused.status_code, "may not use" in refused.text) == (403, True), path
    elsewhere = client("elsewhere", Role.WRITE, "default")
    assert elsewhere.get("/api/v1/papers").json()["total"] == 3
    assert elsewhere.get("/api/v1/papers", params={"library": "ice"}).status_code == 403
    assert [model["id"] for model in elsewhere.get("/v1/models").json()["data"]] == ["paperchat"]


def test_owners_who_ask_at_the_same_time_get_their_own_answers_streams_and_conversations(
    client: Callable[..., httpx.Client],
) -> None:
    owners = {name: client(name) for name in ("ann", "ben", "cid", "dee", "eve", "fay")}

    def ask(name: str, number: int) -> tuple[str, str]:
        question = f"{BEES} said {name} {number}"
        body = {"question": question, "save": True, "stream": bool(number % 2)}
        reply = owners[name].post("/api/v1/ask", json=body)
        text = reply.text if body["stream"] else f"event: answer\ndata: {reply.text}"
        answer = json.loads(text.strip().split("event: answer\ndata: ")[-1].split("\n")[0])
        assert answer["question"] == question
        assert f"said {name} {number}" not in [line for line in text if "said" in line and name not in line]
        return name, answer["conversation"]

    pairs = [(name, number) for number in range(4) for name in owners]
    with ThreadPoolExecutor(len(owners)) as threads:
        asked = list(threads.map(ask, *zip(*pairs, strict=True)))
    for name, own in owners.items():
        mine = {conversation for owner, conversation in asked if owner == name}
        listed = own.get("/api/v1/conversations").json()
        assert {conversation["id"] for conversation in listed["conversations"]} == mine
        assert all(f"said {name}" in conversation["title"] for conversation in listed["conversations"])
        others = [conversation for owner, conversation in asked if owner != name]
        assert {own.get(f"/api/v1/conversations/{other}").status_code for other in others} == {404}
        body = {"question": "And older bees?", "conversation": others[0]}
        assert own.post("/api/v1/ask", json=body).status_code == 404


def test_a_user_of_an_earlier_file_may_do_everything_and_one_with_limits_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "users"
    users.add_user(file, "ann", PASSWORD)
    assert len(file.read_text().split(":")) == 6, "as earlier versions wrote and read it"
    users.add_user(file, "ben", PASSWORD, Permissions(Role.READ, ("default", "ice")))
    known = users.Users(file)
    assert known.permissions("ann") == UNLIMITED
    assert known.permissions("ben") == Permissions(Role.READ, ("default", "ice"))
    assert known.permissions("eve") is None
    assert known.authenticate("ben", PASSWORD)
    users.add_user(file, "ben", "another long password")
    assert known.permissions("ben") == Permissions(Role.READ, ("default", "ice")), "a new password gives no rights"


@pytest.mark.parametrize("line", ["x:admin:", "x:read", "x:read:a:b"])
def test_a_damaged_role_lets_nobody_in(tmp_path: Path, line: str) -> None:
    file = tmp_path / "users"
    users.add_user(file, "ann", PASSWORD)
    file.write_text(file.read_text().strip() + line.removeprefix("x") + "\n")
    with pytest.raises(SettingsError, match="damaged"):
        users.Users(file)


def test_permissions_are_given_and_listed_on_the_command_line(
    paperchat: Paperchat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[str] = []

    def prompt(text: str, **_: Any) -> str:
        prompts.append(text)
        return PASSWORD

    monkeypatch.setattr("typer.prompt", prompt)
    file = tmp_path / "users"
    assert paperchat("user", file, "ann").code == 0
    assert paperchat("user", file, "ben", "--role", "read", "--library", "ice", "--library", "default").code == 0
    listed = paperchat("user", file, "--json").json
    assert listed == [
        {"name": "ann", "role": "write", "libraries": []},
        {"name": "ben", "role": "read", "libraries": ["default", "ice"]},
    ]
    assert paperchat("user", file).out.splitlines()[1].split() == ["ben", "read", "default,", "ice"]
    assert len(prompts) == 2
    assert paperchat("user", file, "ann", "--role", "read").code == 0
    assert paperchat("user", file, "ben", "--every-library").code == 0
    assert len(prompts) == 2, "a change of permissions leaves the password alone"
    assert [user["libraries"] for user in paperchat("user", file, "--json").json] == [[], []]
    assert users.Users(file).authenticate("ann", PASSWORD)
    assert paperchat("user", file, "ann", "--library", "../up").code == 1
    assert paperchat("token", "add", "notebook", "--role", "write", "--library", "ice").code == 0
    [token] = paperchat("token", "list", "--json").json
    assert (token["role"], token["scope"], token["libraries"]) == ("write", "write", ["ice"])
    assert paperchat("token", "list").out.split()[-1] == "ice"


def test_a_library_that_is_really_named_default_is_not_the_one_without_a_name() -> None:
    limited = Permissions(libraries=("default",))
    assert limited.may_use(None)
    assert not limited.may_use("default")
    assert UNLIMITED.may_use("default")
    with pytest.raises(ForbiddenError, match="you may use: default"):
        limited.require_library("ice")
    with pytest.raises(SettingsError, match="names no library"):
        checked_libraries(["A B"])


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what users of a page with a login saw and did, in a process of its own."""
    home = tmp_path_factory.mktemp("visits")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    environment |= {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(home)}
    command = [sys.executable, "-m", "tests.unit.page.visits"]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_reader_of_the_page_changes_nothing_whatever_is_sent_and_sees_no_button(
    visits: dict[str, Any],
) -> None:
    assert visits["changed by the reader"] == []
    assert set(visits["refused to the reader"]) == set(visits["writes"])
    assert "display: none" in visits["style of the reader"]
    assert visits["answer of the reader"]


def test_a_writer_of_the_page_changes_the_library_by_the_same_requests(visits: dict[str, Any]) -> None:
    assert {"begin", "annotate", "keepnew", "remove"} <= set(visits["changed by the writer"])
    assert visits["style of the writer"] == ""


def test_a_user_of_another_library_and_one_who_was_removed_do_not_reach_the_page(visits: dict[str, Any]) -> None:
    assert visits["page of the stranger"] == [403, 403]
    assert visits["page of the removed"] == [200, 403]


def test_requests_of_the_page_are_logged_with_their_user_and_route(visits: dict[str, Any]) -> None:
    assert ["user:reader", "/gradio_api/queue/join"] in visits["logged"]

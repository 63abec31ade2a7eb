"""Who may call a server that other machines can reach, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest
from openai import OpenAI

from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from tests.conftest import BEES
from tests.unit.api.conftest import Serve, loaded
from ui.api import server
from ui.api.problems import ProblemError
from ui.api.request_rate import RequestRate
from ui.api.tokens import Tokens, open_tokens
from ui.permissions import Role
from ui.users import add_user

EVERYWHERE = "0.0.0.0"  # noqa: S104
PASSWORD = "correct horse battery"  # noqa: S105
RECORD = {"records": [{"abstract": "Cats purr at a frequency of 25 hertz when they are content."}]}


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    return open_tokens(settings)


@pytest.fixture
def lab(serve_api: Serve, assistant: Assistant, tokens: Tokens) -> Iterator[httpx.Client]:
    """Return a client without credentials of a server that other machines can reach."""
    tokens.add("first", Role.READ)
    address = serve_api(assistant, host=EVERYWHERE).address.replace(EVERYWHERE, "127.0.0.1")
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.5", "lab.example"])
def test_without_users_and_tokens_this_machine_alone_is_served(
    settings: Settings, assistant: Assistant, host: str
) -> None:
    with pytest.raises(SettingsError, match="paperchat token add"):
        server.start(settings.model_copy(update={"host": host, "port": 0}), loaded(assistant))


@pytest.mark.parametrize(
    "headers", [{}, bearer("paperchat-x"), {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}]
)
def test_a_request_without_valid_credentials_is_refused(lab: httpx.Client, headers: dict[str, str]) -> None:
    for reply in (lab.get("/api/v1/status", headers=headers), lab.get("/v1/models", headers=headers)):
        assert reply.status_code == 401
        assert "WWW-Authenticate" in reply.headers
    assert lab.get("/api/v1/health").status_code == 200


def test_the_openai_client_sends_a_token_as_its_key(lab: httpx.Client, tokens: Tokens) -> None:
    def client(key: str) -> OpenAI:
        return OpenAI(base_url=f"{lab.base_url}/v1", api_key=key, max_retries=0)

    assert [model.id for model in client(tokens.add("notebook", Role.READ)).models.list()] == ["paperchat"]
    with pytest.raises(openai.AuthenticationError):
        client("sk-wrong").models.list()


def test_a_browser_sends_a_token_as_the_password_of_its_name(lab: httpx.Client, tokens: Tokens) -> None:
    secret = tokens.add("notebook", Role.READ)
    assert lab.get("/api/v1/docs").headers["www-authenticate"].endswith('Basic realm="paperchat"')
    assert lab.get("/api/v1/docs", auth=("notebook", secret)).status_code == 200
    assert lab.get("/api/v1/docs", auth=("first", secret)).status_code == 401
    assert lab.get("/api/v1/docs", auth=("notebook", "wrong")).status_code == 401
    assert lab.post("/api/v1/papers", json=RECORD, auth=("notebook", secret)).status_code == 403


def test_only_a_token_of_scope_write_changes_papers(lab: httpx.Client, tokens: Tokens) -> None:
    reader, writer = (bearer(tokens.add(scope, scope)) for scope in Role)
    assert lab.post("/api/v1/papers", json=RECORD, headers=reader).status_code == 403
    assert lab.post("/api/v1/papers", json=RECORD, headers=writer).json()["added"] == 1
    [paper] = lab.get("/api/v1/papers", params={"filter": "purr"}, headers=reader).json()["papers"]
    assert lab.delete(f"/api/v1/papers/{paper['id']}", headers=reader).status_code == 403
    assert lab.post("/api/v1/collections", json={"name": "x"}, headers=reader).status_code == 403
    assert lab.put(f"/api/v1/papers/{paper['id']}/note", json={"text": "x"}, headers=reader).status_code == 403
    assert lab.delete(f"/api/v1/papers/{paper['id']}", headers=writer).status_code == 204


def test_a_revoked_token_is_refused_at_once(lab: httpx.Client, tokens: Tokens) -> None:
    headers = bearer(tokens.add("notebook", Role.READ))
    assert lab.get("/api/v1/status", headers=headers).status_code == 200
    tokens.remove("notebook")
    assert lab.get("/api/v1/status", headers=headers).status_code == 401


def test_each_token_has_conversations_of_its_own(lab: httpx.Client, tokens: Tokens) -> None:
    ann, ben = (bearer(tokens.add(name, Role.READ)) for name in ("ann", "ben"))
    stored = lab.post("/api/v1/ask", json={"question": BEES, "save": True}, headers=ann).json()["conversation"]
    assert lab.get(f"/api/v1/conversations/{stored}", headers=ann).status_code == 200
    assert lab.get(f"/api/v1/conversations/{stored}", headers=ben).status_code == 404
    assert lab.delete(f"/api/v1/conversations/{stored}", headers=ben).status_code == 404
    assert lab.get("/api/v1/conversations", headers=ben).json()["total"] == 0


def test_users_of_the_page_log_in_with_their_password(
    serve_api: Serve, assistant: Assistant, settings: Settings
) -> None:
    users = settings.home / "users"
    add_user(users, "ann", PASSWORD)
    address = serve_api(assistant, auth=users).address

    def status(password: str) -> int:
        return httpx.get(f"{address}/api/v1/status", auth=("ann", password), timeout=60).status_code

    with ThreadPoolExecutor(10) as threads:
        assert list(threads.map(status, [PASSWORD] * 10)) == [200] * 10
    assert status("wrong horse battery") == 401
    assert httpx.get(f"{address}/api/v1/status").status_code == 401
    add_user(users, "ann", "another long password")
    assert (status(PASSWORD), status("another long password")) == (401, 200)


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}])
def test_a_valid_token_does_not_help_the_page_of_another_site(
    lab: httpx.Client, tokens: Tokens, headers: dict[str, str]
) -> None:
    headers = headers | bearer(tokens.add("notebook", Role.WRITE))
    assert lab.post("/api/v1/papers", json=RECORD, headers=headers).status_code == 403


def test_too_many_requests_of_one_token_have_to_wait_and_others_do_not(
    serve_api: Serve, assistant: Assistant, tokens: Tokens
) -> None:
    ann, ben = (bearer(tokens.add(name, Role.READ)) for name in ("ann", "ben"))
    address = serve_api(assistant, host=EVERYWHERE, requests_per_minute=3).address.replace(EVERYWHERE, "127.0.0.1")
    statuses = [httpx.get(f"{address}/v1/models", headers=ann).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    refused = httpx.get(f"{address}/v1/models", headers=ann)
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert httpx.get(f"{address}/v1/models", headers=ben).status_code == 200


def test_guessing_tokens_is_slowed_down(lab: httpx.Client) -> None:
    statuses = [lab.get("/v1/models", headers=bearer(f"guess{number}")).status_code for number in range(31)]
    assert statuses == [401] * 30 + [429]


def test_the_rate_recovers_evenly() -> None:
    now = 0.0
    rate = RequestRate(60, lambda: now)
    for _ in range(60):
        rate.count("ann")
    with pytest.raises(ProblemError):
        rate.count("ann")
    now = 2.0
    rate.count("ann")
    rate.count("ann")
    with pytest.raises(ProblemError):
        rate.count("ann")

"""Who can run a language model: `paperchat models`, and what `paperchat doctor` says of the configured one."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from assistant.errors import ModelError
from assistant.llm import providers
from assistant.llm.providers import PROVIDERS
from tests.conftest import Paperchat
from tests.loopback import ModelServer, fails, says, serving, stalls

VARIABLES = ("OLLAMA_HOST", "OPENAI_API_BASE", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
NEEDS_OPENAI = pytest.mark.skipif(not PROVIDERS["openai"].is_installed, reason="needs the extra paperchat[openai]")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """No variable of the machine's, and an Ollama whose address nobody listens at, which is returned."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{held.getsockname()[1]}")
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


def row(paperchat: Paperchat, provider: str) -> dict[str, object]:
    [found] = [each for each in paperchat("models", "--json").json if each["provider"] == provider]
    assert isinstance(found, dict)
    return found


def test_every_provider_is_listed_with_the_command_that_installs_it(paperchat: Paperchat) -> None:
    listed = paperchat("models", "--json").json
    assert [each["provider"] for each in listed] == list(PROVIDERS)
    for each in listed:
        assert each["install"] == f"pip install 'paperchat[{each['provider']}]'"
        assert each["form"].startswith(f"{each['provider']}/")


def test_a_package_that_is_missing_is_told(paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.llms.anthropic", None)
    assert row(paperchat, "anthropic")["installed"] is False
    lines = paperchat("models").out.splitlines()
    [line] = [line for line in lines if line.startswith("anthropic/<model>")]
    assert line.split(maxsplit=1)[1] == "not installed: pip install 'paperchat[anthropic]'; set ANTHROPIC_API_KEY"


def test_what_is_to_be_set_is_told_until_it_is(paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    assert row(paperchat, "anthropic")["missing"] == "set ANTHROPIC_API_KEY"
    assert row(paperchat, "openai")["missing"] == (
        "set OPENAI_API_KEY, or OPENAI_API_BASE to the address of a compatible server"
    )
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "secret-7")
    assert row(paperchat, "anthropic")["missing"] is row(paperchat, "openai")["missing"] is None
    assert "secret-7" not in paperchat("models", "--json").out + paperchat("models").out


@pytest.mark.parametrize(
    ("provider", "variable", "path"),
    [("ollama", "OLLAMA_HOST", "/api/tags"), ("openai", "OPENAI_API_BASE", "/v1/models")],
)
def test_a_servers_models_are_listed_under_the_names_that_the_settings_take(
    provider: str, variable: str, path: str, server: ModelServer, paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, server.base if provider == "openai" else server.address)
    assert row(paperchat, provider)["models"] == [f"{provider}/large:1b", f"{provider}/small"]
    assert server.looked == [path]
    assert server.asked == [], "no model is asked to write"
    assert f"\n  {provider}/small\n" in paperchat("models").out


def test_a_hosted_service_is_not_asked_for_its_models(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(providers, "fetch", lambda address, _: asked.append(address))
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    providers.list_models()
    assert [address.rpartition(":")[2].partition("/")[2] for address in asked] == ["api/tags"]
    assert all(address.startswith("http://127.0.0.1:") for address in asked)


def test_a_server_that_is_not_there_is_told_with_its_address(paperchat: Paperchat, nowhere: str) -> None:
    found = row(paperchat, "ollama")
    assert found["models"] == []
    assert f"cannot list the models of {nowhere}: " in str(found["problem"])


@pytest.mark.parametrize("body", [b"{broken", b"[]", b'{"data": 3}', b'{"data": [{}]}', b"\xff", b"null"])
def test_a_list_that_is_none_is_told(
    body: bytes, server: ModelServer, paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.list_instead = body
    monkeypatch.setenv("OPENAI_API_BASE", server.base)
    assert row(paperchat, "openai")["problem"] == f"{server.base} does not list its models in the format of openai"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("", "http://localhost:11434"),
        ("gpu.lab", "http://gpu.lab:11434"),
        ("0.0.0.0", "http://localhost:11434"),  # noqa: S104
        (":9999", "http://localhost:9999"),
        ("127.0.0.1:9999/", "http://127.0.0.1:9999"),
        ("http://gpu.lab:80/ollama", "http://gpu.lab:80/ollama"),
        ("https://gpu.lab", "https://gpu.lab"),
    ],
)
def test_ollamas_address_may_be_written_as_ollama_itself_takes_it(
    given: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", given)
    assert PROVIDERS["ollama"].server == address


def test_an_address_that_cannot_be_one_is_an_error_in_one_line(
    paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "file:///etc/passwd")
    with pytest.raises(ModelError, match="must begin with http"):
        providers.list_models()
    assert paperchat("models").err == (
        "paperchat: 'file:///etc/passwd' is not a server address: it must begin with http:// or https://\n"
    )


@NEEDS_OPENAI
def test_the_doctor_has_the_model_say_one_token(
    server: ModelServer, paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", server.base)
    monkeypatch.setenv("PAPERCHAT_LLM", "openai/small")
    server.script(stalls("Yes"))  # it would go on, and is not waited for
    done = paperchat("doctor", "--json")
    assert (done.code, done.json["problems"]) == (0, [])
    assert done.json["first token"].endswith("s (openai/small)")
    assert len(server.asked) == 1
    assert server.left.wait(60)


@NEEDS_OPENAI
def test_the_doctor_says_what_is_wrong_with_the_model_in_one_line(
    server: ModelServer, paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", server.base)
    monkeypatch.setenv("PAPERCHAT_LLM", "openai/small")
    server.script(fails(401, "No key"), fails(404, "No such model"), says(""))
    problems = [paperchat("doctor", "--json").json["problems"] for _ in range(3)]
    assert problems == [
        ["the language model openai/small failed: No key (status 401); OPENAI_API_KEY is not set"],
        [
            "the language model openai/small failed: No such model (status 404); "
            "run paperchat models to list the available ones"
        ],
        [
            "the language model openai/small wrote nothing; if it reasons first, it needs more room "
            "(raise PAPERCHAT_MAX_OUTPUT_TOKENS)"
        ],
    ]


def test_the_doctor_asks_no_model_where_none_is_configured(paperchat: Paperchat) -> None:
    done = paperchat("doctor", "--json")
    assert (done.code, done.json["problems"]) == (0, [])
    assert "first token" not in done.json

"""What every LLM promises, and what the provider names of the settings lead to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.errors import ModelError
from assistant.llm import llama_index
from assistant.llm.providers import PROVIDERS
from assistant.llm.streaming import ReplyLimits
from assistant.llm.transport import LocalRequest
from assistant.protocols import LLM, WindowedLLM
from assistant.schema import Message, Sampling
from assistant.settings import Settings
from tests.conftest import ROOT
from tests.fakes import ScriptedLLM
from tests.loopback import ModelServer, says, serving
from tests.tiny import a_tiny_llama

CHAT = [
    Message("system", "Be brief."),
    Message("user", "What melts?"),
    Message("assistant", "Ice."),
    Message("user", "Why, in the Ötztal?"),
]
PIECES = ["It is ", "wärmer ", "there [1]."]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A running server that OPENAI_API_BASE and OLLAMA_HOST name."""
    with serving() as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base)
        monkeypatch.setenv("OLLAMA_HOST", server.address)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        yield server


@pytest.fixture
def load(settings: Settings) -> Callable[..., LLM]:
    """Opens the model of a name, with other settings if any."""

    def load_one(name: str, **changed: object) -> LLM:
        llm = factory.open_llm(settings.model_copy(update={"llm": name, "max_output_tokens": 16} | changed))
        assert llm
        return llm

    return load_one


def needs(extra: str) -> None:
    pytest.importorskip(PROVIDERS[extra].module, reason=f"needs the extra paperchat[{extra}]")


def scripted(_: pytest.FixtureRequest) -> LLM:
    return ScriptedLLM(*PIECES)


def mock(_: pytest.FixtureRequest) -> LLM:
    return echoing()


def openai(request: pytest.FixtureRequest) -> LLM:
    return served(request, "openai")


def ollama(request: pytest.FixtureRequest) -> LLM:
    return served(request, "ollama")


def huggingface(request: pytest.FixtureRequest) -> LLM:
    needs("huggingface")
    folder = a_tiny_llama(request.getfixturevalue("tmp_path") / "tiny")
    load: Callable[[str], LLM] = request.getfixturevalue("load")
    return load(f"huggingface/{folder}")


def served(request: pytest.FixtureRequest, provider: str) -> LLM:
    needs(provider)
    request.getfixturevalue("server")
    load: Callable[[str], LLM] = request.getfixturevalue("load")
    return load(f"{provider}/small")


def echoing() -> LLM:
    from llama_index.core.llms import MockLLM

    return llama_index.LlamaIndexLLM(
        "mock/echo", llama_index.local_requests(MockLLM()), ReplyLimits(), llama_index.count_tokens
    )


@pytest.fixture(params=[scripted, mock, openai, ollama, huggingface], ids=lambda adapter: str(adapter.__name__))
def llm(request: pytest.FixtureRequest) -> LLM:
    adapter: Callable[[pytest.FixtureRequest], LLM] = request.param
    return adapter(request)


def test_it_has_a_name_like_those_in_the_settings(llm: LLM) -> None:
    provider, slash, model = llm.name.partition("/")
    assert provider
    assert slash
    assert model


def test_the_reply_comes_in_several_pieces_of_text(llm: LLM) -> None:
    pieces = list(llm.stream(CHAT))
    assert len(pieces) > 1
    assert all(isinstance(piece, str) for piece in pieces)
    assert "".join(pieces).strip()


def test_every_call_is_a_reply_of_its_own(llm: LLM) -> None:
    assert "".join(llm.stream(CHAT)) == "".join(llm.stream(CHAT))


def test_a_reply_may_be_left_unread(llm: LLM) -> None:
    left = llm.stream(CHAT)
    assert next(piece for piece in left if piece)
    left.close()  # type: ignore[attr-defined]
    assert "".join(llm.stream(CHAT)).strip()


def test_a_longer_text_has_more_tokens(llm: LLM) -> None:
    assert llm.count_tokens("") == 0
    assert 0 < llm.count_tokens("warm ice") < llm.count_tokens("warm ice and cold fire")


def test_messages_reach_a_llama_index_model_in_order_and_whole() -> None:
    echo = "".join(echoing().stream(CHAT))
    assert echo == "system: Be brief.\nuser: What melts?\nassistant: Ice.\nuser: Why, in the Ötztal?\nassistant: "


@pytest.mark.parametrize(("provider", "path"), [("openai", "/v1/chat/completions"), ("ollama", "/api/chat")])
def test_messages_reach_a_server_in_order_and_whole(
    provider: str, path: str, server: ModelServer, load: Callable[..., LLM]
) -> None:
    needs(provider)
    assert "".join(load(f"{provider}/team/small:1b").stream(CHAT)) == "It is wärmer there [1]."
    [asked] = server.asked
    assert asked["path"] == path
    assert asked["stream"] is True
    assert asked["model"] == "team/small:1b"
    assert [(each["role"], each["content"]) for each in asked["messages"]] == [
        (message.role, message.content) for message in CHAT
    ]


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_server_is_told_how_much_to_write(provider: str, server: ModelServer, load: Callable[..., LLM]) -> None:
    needs(provider)
    list(load(f"{provider}/small", max_output_tokens=77, max_prompt_tokens=900).stream(CHAT))
    [asked] = server.asked
    assert asked.get("max_tokens", asked.get("options", {}).get("num_predict")) == 77


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_server_is_told_how_to_sample_and_only_where_a_reply_is_sampled(
    provider: str, server: ModelServer, load: Callable[..., LLM]
) -> None:
    needs(provider)
    llm = load(f"{provider}/small")
    for sampling in (None, Sampling(0.9, 3), Sampling(0.9, 4), None):
        list(llm.stream(CHAT, sampling))
    options = [asked.get("options", asked) for asked in server.asked]
    assert [(asked["temperature"], asked["seed"]) for asked in options[1:3]] == [(0.9, 3), (0.9, 4)]
    assert "seed" not in options[0]
    assert {name: options[3].get(name) for name in ("temperature", "seed", "max_tokens", "num_predict")} == {
        name: options[0].get(name) for name in ("temperature", "seed", "max_tokens", "num_predict")
    }


def test_a_model_in_this_process_samples_only_the_replies_that_are_to_differ(
    tmp_path: Path, load: Callable[..., LLM]
) -> None:
    needs("huggingface")
    llm = load(f"huggingface/{a_tiny_llama(tmp_path / 'tiny')}")
    usual = "".join(llm.stream(CHAT))
    samples = {"".join(llm.stream(CHAT, Sampling(1.5, seed))) for seed in range(3)}
    assert len(samples) > 1
    assert "".join(llm.stream(CHAT)) == usual


def test_a_sampled_reply_is_one_of_every_llm(llm: LLM) -> None:
    assert "".join(llm.stream(CHAT, Sampling(0.7, 1))).strip()


def test_ollama_is_told_how_long_the_prompt_may_get(server: ModelServer, load: Callable[..., LLM]) -> None:
    needs("ollama")
    list(load("ollama/small", max_output_tokens=100, max_prompt_tokens=5000).stream(CHAT))
    assert server.asked[0]["options"]["num_ctx"] >= 5100


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_no_server_is_asked_before_the_first_question(
    provider: str, server: ModelServer, load: Callable[..., LLM]
) -> None:
    needs(provider)
    llm = load(f"{provider}/small")
    assert server.asked == []
    "".join(llm.stream(CHAT))
    assert len(server.asked) == 1


def test_a_key_reaches_the_server_and_none_is_needed(
    server: ModelServer, load: Callable[..., LLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("openai")
    list(load("openai/small").stream(CHAT))
    monkeypatch.setenv("OPENAI_API_KEY", "secret-7")
    list(load("openai/small").stream(CHAT))
    first, second = server.asked
    assert "secret" not in first["key"]
    assert second["key"] == "Bearer secret-7"


def test_control_characters_and_thoughts_do_not_get_through(server: ModelServer, load: Callable[..., LLM]) -> None:
    needs("openai")
    server.script(says("<think>Hm", ".</think>\n\n", "Bees\x1b[2J dance\x00\r\n", "at night\u202e [1]."))
    assert "".join(load("openai/small").stream(CHAT)) == "Bees[2J dance\nat night [1]."
    server.script(says("<think>Hm", ".</think>\n\n"))
    with pytest.raises(ModelError, match="wrote nothing"):
        list(load("openai/small").stream(CHAT))


def test_whatever_a_provider_raises_is_a_model_error_in_one_line() -> None:
    class Broken:
        def stream_chat(self, _: object) -> Iterator[object]:
            raise RuntimeError("out of memory\nallocated: lots")

    llm = llama_index.LlamaIndexLLM("huggingface/x", llama_index.local_requests(Broken()), ReplyLimits(), len)
    with pytest.raises(ModelError, match=r"^the language model huggingface/x failed: out of memory$"):
        list(llm.stream(CHAT))


def test_a_model_in_this_process_writes_one_reply_at_a_time_and_stops_at_the_next_token() -> None:
    from threading import Event, Lock, Thread

    class Slow:
        def __init__(self) -> None:
            self.begun, self.go_on, self.tokens = Event(), Event(), 0

        def stream_chat(self, _: object) -> Iterator[Any]:
            for _number in range(100):
                self.begun.set()
                assert self.go_on.wait(60)
                self.tokens += 1
                yield type("Piece", (), {"delta": "a ", "raw": None})

    model, turn = Slow(), Lock()
    said: list[str] = []
    calls = [LocalRequest(model, [], turn, lambda _: None) for _ in range(2)]
    threads = [Thread(target=call.run, args=(said.append,)) for call in calls]
    threads[0].start()
    assert model.begun.wait(60)
    threads[1].start()
    calls[0].cancel()
    calls[1].cancel()
    model.go_on.set()
    for thread in threads:
        thread.join(60)
    assert (said, model.tokens) == ([], 1)


@pytest.mark.parametrize("name", ["nobody/model", "gpt-4o", "llama/", "Openai/x"])
def test_an_unknown_provider_is_a_model_error_that_lists_the_known_ones(name: str, load: Callable[..., LLM]) -> None:
    known = "extractive, ollama/<model>, openai/<model>, anthropic/<model>, huggingface/<repo or folder>, llamacpp/"
    with pytest.raises(ModelError, match=known):
        load(name)


@pytest.mark.parametrize("provider", list(PROVIDERS))
def test_a_missing_package_is_a_model_error_with_the_command_that_installs_it(
    provider: str, monkeypatch: pytest.MonkeyPatch, load: Callable[..., LLM]
) -> None:
    monkeypatch.setitem(sys.modules, PROVIDERS[provider].module, None)
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(key, "x")
    with pytest.raises(ModelError, match=rf"pip install 'paperchat\[{provider}\]'"):
        load(f"{provider}/small")


def test_every_provider_is_an_extra_that_can_be_installed() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for provider in PROVIDERS.values():
        package = provider.module.replace("_", "-").replace(".", "-")
        assert f'{provider.name} = ["{package}>=' in text


@pytest.mark.parametrize(
    ("name", "said"),
    [("openai/gpt-4o-mini", "set OPENAI_API_KEY, or OPENAI_API_BASE to"), ("anthropic/x", "set ANTHROPIC_API_KEY$")],
)
def test_a_missing_key_is_a_model_error_that_says_what_to_set(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch, load: Callable[..., LLM]
) -> None:
    for variable in ("OPENAI_API_BASE", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ModelError, match=said):
        load(name)


@pytest.mark.parametrize("base", ["ftp://host/v1", "http://[::1/v1", "http://host:port/v1"])
def test_an_address_that_is_none_is_a_model_error_that_names_it(
    base: str, monkeypatch: pytest.MonkeyPatch, load: Callable[..., LLM]
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", base)
    with pytest.raises(ModelError, match="is not a server address"):
        load("openai/small")


def test_a_folder_without_a_model_is_a_model_error_that_names_it(tmp_path: Path, load: Callable[..., LLM]) -> None:
    needs("huggingface")
    with pytest.raises(ModelError, match=f"huggingface/{tmp_path} cannot be loaded: "):
        load(f"huggingface/{tmp_path}")


def test_a_model_that_cannot_read_the_prompt_is_refused_with_the_cure(tmp_path: Path, load: Callable[..., LLM]) -> None:
    needs("huggingface")
    folder = a_tiny_llama(tmp_path / "tiny", window=1024)
    with pytest.raises(ModelError, match=r"reads at most 1024 tokens.*PAPERCHAT_MAX_PROMPT_TOKENS to 752"):
        load(f"huggingface/{folder}")
    assert "".join(load(f"huggingface/{folder}", max_prompt_tokens=752).stream(CHAT)).strip()


def test_a_model_that_never_learned_to_chat_writes_too(tmp_path: Path, load: Callable[..., LLM]) -> None:
    needs("huggingface")
    folder = a_tiny_llama(tmp_path / "tiny", chats=False)
    assert "".join(load(f"huggingface/{folder}").stream(CHAT)).strip()


def test_a_model_without_system_messages_is_told_the_rules_with_the_first_question(
    tmp_path: Path, load: Callable[..., LLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("huggingface")
    from llama_index.llms.huggingface import HuggingFaceLLM

    read: list[str] = []
    whole = HuggingFaceLLM.stream_complete

    def noted(self: Any, prompt: str, **more: Any) -> Any:
        read.append(prompt)
        return whole(self, prompt, **more)

    monkeypatch.setattr(HuggingFaceLLM, "stream_complete", noted)
    folder = a_tiny_llama(tmp_path / "tiny", takes_rules=False)
    assert "".join(load(f"huggingface/{folder}").stream(CHAT)).strip()
    assert read == ["<user>Be brief.\n\nWhat melts?<assistant>Ice.<user>Why, in the Ötztal?<assistant>"]


def test_extractive_needs_no_model_and_imports_none() -> None:
    script = (
        "import sys; from assistant import factory; from assistant.settings import Settings;"
        "assert factory.open_llm(Settings()) is None;"
        "print([name for name in sys.modules if name.startswith(('llama_index', 'openai', 'assistant.llm'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The context window


@pytest.mark.parametrize(
    ("provider", "described", "window"),
    [
        ("ollama", {"model_info": {"llama.context_length": 2048, "llama.block_count": 16}}, 2048),
        ("openai", {"max_model_len": 4096}, 4096),
        ("openai", {"owned_by": "llamacpp", "default_generation_settings": {"n_ctx": 8192}}, 8192),
        ("ollama", {}, None),
        ("openai", {}, None),
        ("openai", {"max_model_len": "many"}, None),
        ("openai", {"max_model_len": -1}, None),
        ("ollama", {"model_info": [1]}, None),
    ],
)
def test_a_server_tells_the_context_window_and_is_asked_once(
    provider: str,
    described: dict[str, object],
    window: int | None,
    server: ModelServer,
    load: Callable[..., LLM],
) -> None:
    needs(provider)
    server.described = described
    llm = load(f"{provider}/small")
    assert server.looked == []
    assert isinstance(llm, WindowedLLM)
    assert [llm.context_window(), llm.context_window()] == [window] * 2
    assert len(server.looked) == (2 if "owned_by" in described else 1)
    assert server.asked == []


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"null"])
def test_a_server_that_describes_its_models_in_no_known_way_has_no_known_window(
    content: bytes, server: ModelServer, load: Callable[..., LLM]
) -> None:
    needs("openai")
    server.list_instead = content
    llm = load("openai/small")
    assert isinstance(llm, WindowedLLM)
    assert llm.context_window() is None
    assert "".join(llm.stream(CHAT)) == "It is wärmer there [1]."


def test_a_server_that_is_not_there_has_no_known_window(
    load: Callable[..., LLM], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("ollama")
    with serving(listens=False) as silent:
        monkeypatch.setenv("OLLAMA_HOST", silent.address)
        llm = load("ollama/small")
        assert isinstance(llm, WindowedLLM)
        assert llm.context_window() is None

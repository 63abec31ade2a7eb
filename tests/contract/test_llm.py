"""What every LLM promises, and what the provider names of the settings lead to.

The server is the test's own, on loopback: it speaks as much of the OpenAI protocol as streaming a chat takes.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from assistant import llama, wiring
from assistant.errors import ModelError
from assistant.ports import LLM
from assistant.schema import Message
from tests.conftest import ROOT
from tests.fakes import ScriptedLLM

CHAT = [
    Message("system", "Be brief."),
    Message("user", "What melts?"),
    Message("assistant", "Ice."),
    Message("user", "Why, in the Ötztal?"),
]
PIECES = ["It is ", "wärmer ", "there [1]."]


class ChatServer(ThreadingHTTPServer):
    """Streams PIECES to whoever asks, or fails as told; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.status = 200
        self.breaks_off = False

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)) | {"path": self.path})
        self.send_response(self.server.status)
        if self.server.status != 200:
            body = json.dumps({"error": {"message": "Incorrect API key provided.\nSee the manual."}}).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in PIECES:
            self._event({"role": "assistant", "content": piece})
            if self.server.breaks_off:
                self.wfile.write(b"data: {broken\n\n")
                return
        self._event({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, delta: dict[str, str], finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "small", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A running server that OPENAI_API_BASE names."""
    pytest.importorskip("llama_index.llms.openai_like", reason="needs the extra paperchat[openai]")
    with ChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("OPENAI_API_BASE", server.base)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        yield server
        server.shutdown()
        thread.join()


def scripted(_: pytest.FixtureRequest) -> LLM:
    return ScriptedLLM(*PIECES)


def mock(_: pytest.FixtureRequest) -> LLM:
    from llama_index.core.llms import MockLLM

    return llama.LlamaIndexLLM("mock/echo", MockLLM())


def openai(request: pytest.FixtureRequest) -> LLM:
    request.getfixturevalue("server")
    return llama.load("openai/small")


@pytest.fixture(params=[scripted, mock, openai], ids=lambda adapter: str(adapter.__name__))
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
    assert next(iter(llm.stream(CHAT)))
    assert "".join(llm.stream(CHAT)).strip()


def test_messages_reach_a_llama_index_model_in_order_and_whole() -> None:
    from llama_index.core.llms import MockLLM

    echo = "".join(llama.LlamaIndexLLM("mock/echo", MockLLM()).stream(CHAT))
    assert echo == "system: Be brief.\nuser: What melts?\nassistant: Ice.\nuser: Why, in the Ötztal?\nassistant: "


def test_messages_reach_a_compatible_server_in_order_and_whole(server: ChatServer) -> None:
    assert "".join(llama.load("openai/team/small:1b").stream(CHAT)) == "It is wärmer there [1]."
    [asked] = server.asked
    assert asked["path"] == "/v1/chat/completions"
    assert asked["stream"] is True
    assert asked["model"] == "team/small:1b"
    assert [(each["role"], each["content"]) for each in asked["messages"]] == [
        (message.role, message.content) for message in CHAT
    ]


def test_no_server_is_asked_before_the_first_question(server: ChatServer) -> None:
    llm = llama.load("openai/small")
    assert server.asked == []
    next(iter(llm.stream(CHAT)))
    assert len(server.asked) == 1


def test_a_refused_key_is_a_model_error_in_one_line_that_names_the_model(server: ChatServer) -> None:
    server.status = 401
    with pytest.raises(ModelError, match=r"openai/small failed: .*Incorrect API key") as failure:
        list(llama.load("openai/small").stream(CHAT))
    assert "\n" not in str(failure.value)
    assert len(server.asked) == 1, "a refused key is not tried again"


def test_a_refused_connection_is_a_model_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llama_index.llms.openai_like", reason="needs the extra paperchat[openai]")
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{held.getsockname()[1]}/v1")
        with pytest.raises(ModelError, match="openai/small failed: ") as failure:
            list(llama.load("openai/small").stream(CHAT))
    assert "\n" not in str(failure.value)


def test_a_reply_that_breaks_off_is_a_model_error_after_what_came(server: ChatServer) -> None:
    server.breaks_off = True
    pieces = []
    with pytest.raises(ModelError, match="openai/small failed"):  # noqa: PT012
        for piece in llama.load("openai/small").stream(CHAT):
            pieces.append(piece)
    assert "".join(pieces) == PIECES[0]


def test_whatever_a_provider_raises_is_a_model_error_in_one_line() -> None:
    class Broken:
        def stream_chat(self, _: object) -> Iterator[object]:
            raise RuntimeError("out of memory\nallocated: lots")

    with pytest.raises(ModelError, match=r"^the language model huggingface/x failed: out of memory$"):
        list(llama.LlamaIndexLLM("huggingface/x", Broken()).stream(CHAT))


@pytest.mark.parametrize("name", ["nobody/model", "gpt-4o", "llama/", "Openai/x"])
def test_an_unknown_provider_is_a_model_error_that_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ModelError, match="extractive, ollama/<model>, openai/<model>, huggingface/<model>"):
        wiring.open_llm(name)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("ollama/llama3.2", "llama_index.llms.ollama"),
        ("openai/small", "llama_index.llms.openai_like"),
        ("huggingface/small", "llama_index.llms.huggingface"),
    ],
)
def test_a_missing_package_is_a_model_error_with_the_command_that_installs_it(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    with pytest.raises(ModelError, match=rf"pip install 'paperchat\[{name.split('/')[0]}\]'"):
        wiring.open_llm(name)


def test_a_missing_key_is_a_model_error_that_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="OPENAI_API_KEY, or OPENAI_API_BASE"):
        wiring.open_llm("openai/gpt-4o-mini")


def test_extractive_needs_no_model_and_imports_none() -> None:
    script = (
        "import sys; from assistant import wiring; assert wiring.open_llm('extractive') is None;"
        "print([name for name in sys.modules if name.startswith(('llama_index', 'openai', 'assistant.llama'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

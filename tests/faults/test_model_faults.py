"""A language model's server that refuses, breaks off, stalls, babbles or never ends: one clear line, and no hanging."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from threading import Barrier

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import ModelError
from assistant.llm import streaming
from assistant.llm.providers import PROVIDERS
from assistant.protocols import LLM
from assistant.schema import Message
from assistant.settings import Settings
from tests.conftest import BEES
from tests.loopback import ModelServer, Script, breaks_off, endless, fails, says, sends, serving, stalls, writes

CHAT = [Message("user", "Do bees dance?")]
BUSY = fails(429, "Rate limit reached")
REPLY = "Bees dance [1]."
# Whatever goes wrong is told long before this many seconds.
SOON = 60


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, of which none takes any time."""
    pauses: list[float] = []

    def no_time(seconds: float) -> Iterator[str]:
        pauses.append(seconds)
        yield ""

    monkeypatch.setattr(streaming, "_heartbeats", no_time)
    return pauses


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with serving() as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base)
        monkeypatch.setenv("OLLAMA_HOST", server.address)
        yield server


@pytest.fixture(params=["openai", "ollama"])
def llm(request: pytest.FixtureRequest, server: ModelServer, settings: Settings) -> LLM:
    """The model of the server, through each provider that has one."""
    return opened(settings, request.param)


def opened(settings: Settings, provider: str = "openai", **changed: object) -> LLM:
    pytest.importorskip(PROVIDERS[provider].module, reason=f"needs the extra paperchat[{provider}]")
    llm = factory.open_llm(settings.model_copy(update={"llm": f"{provider}/small"} | changed))
    assert llm
    return llm


def failure(llm: LLM, comes_first: str = "") -> str:
    """The one line in which a reply fails, after the text that came."""
    text = ""
    with pytest.raises(ModelError) as failed:  # noqa: PT012
        for piece in llm.stream(CHAT):
            text += piece
    assert text == comes_first
    said = str(failed.value)
    assert said.startswith(f"the language model {llm.name} ")
    assert "\n" not in said
    return said


def test_a_refused_key_is_told_at_once(server: ModelServer, llm: LLM) -> None:
    server.script(fails(401, "Incorrect API key provided.\nSee the manual."))
    assert "(status 401)" in failure(llm)
    assert len(server.asked) == 1, "a refused key is not tried again"


def test_a_refused_key_is_told_with_the_servers_words_and_the_variable_to_look_at(
    server: ModelServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.script(fails(401, "Incorrect API key provided.\nSee the manual."))
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    assert failure(opened(settings)).endswith("Incorrect API key provided. (status 401); OPENAI_API_KEY was refused")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert failure(opened(settings)).endswith("; OPENAI_API_KEY is not set")


def test_what_a_server_says_cannot_command_a_terminal(server: ModelServer, settings: Settings) -> None:
    server.script(fails(400, "\x1b[2JBad\u202e request\x07"))
    said = failure(opened(settings))
    assert "[2JBad request" in said
    assert said.isprintable()


def test_a_model_that_the_server_lacks_is_told_with_the_way_to_find_others(server: ModelServer, llm: LLM) -> None:
    server.script(fails(404, "model 'small' not found"))
    assert "not found" in failure(llm)
    assert failure(llm).endswith("(status 404); run paperchat models to list the available ones")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "passing", [BUSY, fails(500, "Oops"), fails(503, "Loading"), breaks_off()], ids=["429", "500", "503", "reset"]
)
def test_what_passes_is_tried_again(passing: Script, server: ModelServer, llm: LLM) -> None:
    server.script(passing, passing, says(REPLY))
    assert "".join(llm.stream(CHAT)) == REPLY
    assert len(server.asked) == 3


@pytest.mark.parametrize(("passing", "status"), [(BUSY, 429), (fails(500, "Oops"), 500)], ids=["429", "500"])
def test_what_does_not_pass_is_told_after_the_last_try(
    passing: Script, status: int, server: ModelServer, settings: Settings
) -> None:
    server.script(passing)
    assert f"(status {status})" in failure(opened(settings, retries=2))
    assert len(server.asked) == 3
    assert f"(status {status})" in failure(opened(settings, retries=0))
    assert len(server.asked) == 4


def test_the_pause_that_a_server_asks_for_is_kept(server: ModelServer, settings: Settings, pauses: list[float]) -> None:
    server.script(fails(429, "Slow down", Retry_After="5"), fails(429, "Slower", Retry_After="500"), says(REPLY))
    assert "".join(opened(settings).stream(CHAT)) == REPLY
    assert pauses == [5, 30], "a server that asks for longer than half a minute is asked again after that"


def test_a_server_that_asks_for_a_pause_beyond_the_end_of_the_time_is_not_asked_again(
    server: ModelServer, settings: Settings
) -> None:
    server.script(fails(429, "Slow down", Retry_After="5"))
    assert "(status 429)" in failure(opened(settings, total_timeout=2.0)), "no try after the end of the time"
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_told_with_its_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("OPENAI_API_BASE", f"{address}/v1")
        monkeypatch.setenv("OLLAMA_HOST", address)
        for provider in ("openai", "ollama"):
            said = failure(opened(settings, provider, retries=1))
            assert f"no connection to {address}" in said
            assert said.endswith("is the server running?")


@pytest.mark.parametrize("provider", ["openai", "ollama"])
def test_a_server_that_comes_up_between_two_tries_is_reached(
    provider: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(listens=False) as server:
        monkeypatch.setenv("OPENAI_API_BASE", server.base)
        monkeypatch.setenv("OLLAMA_HOST", server.address)

        def comes_up(_: float) -> Iterator[str]:
            server.server_activate()
            yield ""

        monkeypatch.setattr(streaming, "_heartbeats", comes_up)
        server.script(says(REPLY))
        assert "".join(opened(settings, provider).stream(CHAT)) == REPLY


def test_a_stream_that_is_cut_is_a_failure_after_what_came_and_is_not_asked_again(
    server: ModelServer, llm: LLM
) -> None:
    server.script(breaks_off("Bees ", "dance"))
    failure(llm, "Bees dance")
    server.script(says("Bees ", "dance to", finish=None))
    assert failure(llm, "Bees dance to").endswith("the reply broke off")
    assert len(server.asked) == 2


def test_a_reply_that_ends_like_a_sentence_is_whole_though_the_server_does_not_say_so(
    server: ModelServer, llm: LLM
) -> None:
    server.script(says("Bees ", "dance [1].\n", finish=None))
    assert "".join(llm.stream(CHAT)) == "Bees dance [1].\n"


def test_a_reply_that_was_cut_at_its_limit_is_a_failure_with_the_cure(server: ModelServer, llm: LLM) -> None:
    server.script(says("Bees dance."), says("Bees dance and ", finish="length"))
    assert "".join(llm.stream(CHAT)) == "Bees dance."
    assert "PAPERCHAT_MAX_OUTPUT_TOKENS" in failure(llm, "Bees dance and ")


def test_a_server_that_never_begins_is_given_up(server: ModelServer, settings: Settings) -> None:
    server.script(stalls())
    assert failure(opened(settings, first_token_timeout=0.3)).endswith(
        "no token came within 0.3 s (raise PAPERCHAT_FIRST_TOKEN_TIMEOUT)"
    )
    assert len(server.asked) == 1, "whoever is slow is not asked again"
    assert server.left.wait(SOON)


def test_a_server_that_stalls_is_given_up_after_what_came(server: ModelServer, settings: Settings) -> None:
    server.script(stalls("Bees "))
    said = failure(opened(settings, token_timeout=0.3), "Bees ")
    assert said.endswith("no further token came within 0.3 s (raise PAPERCHAT_TOKEN_TIMEOUT)")
    assert server.left.wait(SOON)


def test_a_reply_that_takes_too_long_in_all_is_given_up(server: ModelServer, settings: Settings) -> None:
    server.script(stalls("Bees "))
    said = failure(opened(settings, total_timeout=0.4), "Bees ")
    assert said.endswith("it did not finish within 0.4 s (raise PAPERCHAT_TOTAL_TIMEOUT)")
    assert server.left.wait(SOON)


@pytest.mark.parametrize("piece", ["la ", "la" * 500], ids=["small", "large"])
def test_an_endless_reply_is_cut(piece: str, server: ModelServer, settings: Settings) -> None:
    server.script(endless(piece))
    llm, text = opened(settings, max_output_tokens=500), ""
    with pytest.raises(ModelError, match="more than 4,000 characters") as failed:  # noqa: PT012
        for each in llm.stream(CHAT):
            text += each
    assert "PAPERCHAT_MAX_OUTPUT_TOKENS" in str(failed.value)
    assert 4000 - len(piece) <= len(text) <= 4000
    assert server.left.wait(SOON)


def test_an_endless_reply_of_nothing_is_cut(server: ModelServer, settings: Settings) -> None:
    server.script(endless(""))
    assert "without an end" in failure(opened(settings, max_output_tokens=16))
    assert server.left.wait(SOON)


@pytest.mark.parametrize("pieces", [(), ("",), (" ", "\n")], ids=["none", "empty", "blank"])
def test_an_empty_reply_is_a_failure(pieces: tuple[str, ...], server: ModelServer, llm: LLM) -> None:
    server.script(says(*pieces))
    assert "wrote nothing" in failure(llm, "".join(pieces))


def test_what_is_not_json_is_a_failure_after_what_came(server: ModelServer, settings: Settings) -> None:
    for provider, line in (("openai", b"data: {broken\n\n"), ("ollama", b"{broken\n")):
        server.script(sends(line, "Bees "))
        assert "its reply is not valid JSON" in failure(opened(settings, provider), "Bees ")


def test_what_is_not_utf8_is_a_failure_after_what_came(server: ModelServer, settings: Settings) -> None:
    event = {"choices": [{"index": 0, "delta": {"content": "B?enen"}, "finish_reason": None}]}
    line = f"data: {json.dumps(event)}\n\n".encode().replace(b"?", b"\xe4")
    server.script(sends(line, "Bees "))
    assert failure(opened(settings), "Bees ").endswith("its reply is not UTF-8 text")


@pytest.mark.parametrize("said", [(), ("Bees ",)], ids=["before it begins", "in the middle"])
def test_a_cancelled_question_hangs_up_while_the_model_is_silent(
    said: tuple[str, ...], server: ModelServer, llm: LLM
) -> None:
    server.script(stalls(*said))
    reply = llm.stream(CHAT)
    pieces = [next(reply) for _ in range(4)]  # the server is silent, and still we are asked whether to go on
    assert "".join(pieces) == "".join(said)
    assert not server.left.is_set()
    reply.close()  # type: ignore[attr-defined]
    assert server.left.wait(SOON)


def test_a_cancelled_question_hangs_up_while_the_model_writes(server: ModelServer, settings: Settings) -> None:
    server.script(endless("la "))
    reply = opened(settings).stream(CHAT)
    assert next(piece for piece in reply if piece) == "la "
    reply.close()  # type: ignore[attr-defined]
    assert server.left.wait(SOON)


def test_a_question_that_is_cancelled_between_two_tries_is_not_asked_again(
    server: ModelServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_heartbeats", lambda _: repeat(""))
    server.script(BUSY, says(REPLY))
    reply = opened(settings, total_timeout=5000.0).stream(CHAT)
    while not server.asked:
        assert next(reply) == ""
    assert [next(reply) for _ in range(4)] == [""] * 4
    reply.close()  # type: ignore[attr-defined]
    assert len(server.asked) == 1


def test_twenty_questions_at_once_each_get_their_own_answer(server: ModelServer, llm: LLM) -> None:
    together = Barrier(20)

    def slowly(question: str) -> tuple[str, ...]:
        together.wait(SOON)  # every question is there before any is answered
        return tuple(f"{question}-{number} " for number in range(30))

    server.script(writes(slowly))

    def ask(number: int) -> str:
        return "".join(llm.stream([Message("user", f"q{number}")]))

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert answers == ["".join(f"q{number}-{each} " for each in range(30)) for number in range(20)]


def test_twenty_questions_at_once_to_one_assistant_are_never_mixed(
    server: ModelServer, settings: Settings, make_assistant: Callable[..., Assistant]
) -> None:
    together = Barrier(20)

    def about(asked: str) -> tuple[str, ...]:
        together.wait(SOON)
        return ("You asked: ", asked.rpartition("Question: ")[2].rstrip("?"), " [1].")

    server.script(writes(about))
    assistant = make_assistant(opened(settings), verify="off")
    questions = [f"{BEES[:-1]} in year {1900 + number}?" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(assistant.ask, questions))
    assert [(answer.question, answer.text) for answer in answers] == [
        (question, f"You asked: {question.rstrip('?')} [1].") for question in questions
    ]


def test_a_cancelled_answer_stops_the_model(
    server: ModelServer, settings: Settings, make_assistant: Callable[..., Assistant]
) -> None:
    server.script(stalls())
    answers = make_assistant(opened(settings)).stream(BEES)
    assert not next(answers).done
    answers.close()  # type: ignore[attr-defined]
    assert server.left.wait(SOON)

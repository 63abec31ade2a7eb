"""The scripted agent of the evaluation: it counts what it quotes, and compares it with the abstracts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client.stdio import StdioServerParameters

from eval.agent import AgentLog, _Agent, converse
from tests.fakes import WordHashEmbedder

pytestmark = pytest.mark.slow

QUESTION = "How do honey bees communicate the place of flowers by a waggle dance?"


def test_the_agent_asks_quotes_and_verifies_through_a_server_process(
    server_process: Callable[..., StdioServerParameters], filled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, log = server_process("--home", str(filled_home), "mcp"), AgentLog()
    monkeypatch.chdir(filled_home)
    command = ["env", *(f"{name}={value}" for name, value in (server.env or {}).items()), server.command, *server.args]
    asyncio.run(converse(command, [QUESTION, "Which quasars do pulsars orbit?"], log))
    figures = log.figures(WordHashEmbedder())
    assert figures["questions"] == 2
    assert figures["answered"] == 1
    assert figures["quotes"] == figures["quotes_verbatim"] == figures["verdicts"]["supported"] > 0
    assert set(figures["seconds"]) == {"handshake", "ask", "fetch", "verify", "first answer, checked"}
    assert figures["tokens_of_results"]["ask"]["max"] > 0


class Result:
    """A result of a tool; `is_error` makes it an error."""

    def __init__(self, content: Any, is_error: bool = False) -> None:
        self.structured_content, self.is_error = content, is_error
        self.content = [self]
        self.text = str(content)


class MisquotingClient:
    """A client of a server whose quotations are not in the abstracts."""

    async def call_tool(self, tool: str, _: Any) -> Result:
        if tool == "verify":
            return Result({"claims": [{"verdict": "unsupported"}]})
        if tool == "fetch":
            return Result({"id": "a", "text": "Bees dance."})
        citation = {"paper": {"id": "a"}, "passages": [{"text": "Bees sing.", "start": 0, "end": 10}]}
        return Result({"answered": True, "citations": [citation]})


def test_a_quotation_that_is_not_in_the_abstract_is_counted_as_such() -> None:
    log = AgentLog()
    asyncio.run(_Agent(MisquotingClient(), log).work_on(QUESTION))
    assert (log.quotes, log.verbatim, log.verdicts) == (1, 0, {"unsupported": 1})


def test_a_tool_that_fails_ends_the_evaluation_with_its_message() -> None:
    class FailingClient:
        async def call_tool(self, *_: Any) -> Result:
            return Result("no library", is_error=True)

    with pytest.raises(RuntimeError, match="ask: no library"):
        asyncio.run(_Agent(FailingClient(), AgentLog()).work_on(QUESTION))

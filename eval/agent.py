"""Measure the library as an assistant meets it: an agent that asks, quotes and verifies through MCP alone.

The agent is a script. It starts `paperchat mcp` as a client does, by the official SDK over standard input and output,
asks each question, fetches the cited papers, compares every quotation with the abstract, and has it verified.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from assistant import factory
from assistant.protocols import Embedder
from assistant.settings import Settings
from eval import corpora
from eval.runs import environment
from eval.suites import SEEDS, load

# Questions of the development split that are asked unless another number is wanted.
QUESTIONS = 20

Json = dict[str, Any]


def measure_agent(settings: Settings, questions: int = QUESTIONS) -> Json:
    """Let the agent ask questions of the seeds, and return its figures; units are part of the names."""
    texts = [question.text for question in load(SEEDS / "single.jsonl", "dev")][:questions]
    embedder = factory.open_embedder(settings)
    corpora.build("seeds", None, settings, embedder).close()
    home = corpora.folder_of("seeds", (), settings, embedder)
    log = AgentLog()
    asyncio.run(converse([sys.executable, "-m", "ui.cli", "--home", str(home), "mcp"], texts, log))
    return {"versions": environment.versions(), "commit": environment.commit(), **log.figures(embedder)}


@dataclass(slots=True)
class AgentLog:
    """What the agent observed: seconds and results by tool, quotations, and the verdicts on them."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    results: dict[str, list[str]] = field(default_factory=dict)
    answered: int = 0
    quotes: int = 0
    verbatim: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of a step."""
        started = time.perf_counter()
        yield
        self.seconds.setdefault(step, []).append(time.perf_counter() - started)

    def figures(self, embedder: Embedder) -> Json:
        """Return the figures; tokens are those of the embedder's tokenizer."""
        tokens = {tool: embedder.count_tokens(texts) for tool, texts in self.results.items()}
        return {
            "questions": len(self.results.get("ask", ())),
            "answered": self.answered,
            "quotes": self.quotes,
            "quotes_verbatim": self.verbatim,
            "verdicts": dict(self.verdicts),
            "seconds": {step: {"p50": median(values), "max": max(values)} for step, values in self.seconds.items()},
            "tokens_of_results": {tool: {"p50": median(counts), "max": max(counts)} for tool, counts in tokens.items()},
        }


async def converse(command: Sequence[str], questions: Sequence[str], log: AgentLog) -> None:
    """Start the server by this command, and ask each question."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    started = time.perf_counter()
    server = StdioServerParameters(command=command[0], args=list(command[1:]), cwd=Path.cwd())
    async with Client(server) as client:
        log.seconds["handshake"] = [time.perf_counter() - started]
        agent = _Agent(client, log)
        for number, question in enumerate(questions):
            await agent.work_on(question)
            if not number:
                log.seconds["first answer, checked"] = [time.perf_counter() - started]


class _Agent:
    def __init__(self, client: Any, log: AgentLog) -> None:
        self._client, self._log = client, log

    async def work_on(self, question: str) -> None:
        """Ask a question; compare each quotation with the abstract that it comes from, and have it verified."""
        answer = await self._call("ask", question=question)
        self._log.answered += answer["answered"]
        for citation in answer.get("citations", ()):
            paper = await self._call("fetch", id=citation["paper"]["id"])
            for passage in citation["passages"]:
                quoted = paper["text"][passage["start"] : passage["end"]]
                self._log.quotes += 1
                self._log.verbatim += quoted == passage["text"]
                verified = await self._call("verify", text=passage["text"], id=paper["id"])
                self._log.verdicts.update(claim["verdict"] for claim in verified["claims"])

    async def _call(self, tool: str, **arguments: str) -> Json:
        with self._log.timed(tool):
            result = await self._client.call_tool(tool, arguments)
        if result.is_error:
            raise RuntimeError(f"{tool}: {result.content[0].text}")
        self._log.results.setdefault(tool, []).append(result.content[0].text)
        content: Json = result.structured_content
        return content

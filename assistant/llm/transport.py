"""Calls of llama-index chat models: over the network, where waiting can be cancelled, and in this process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from threading import Event, Lock
from typing import Any

from assistant.llm.streaming import LimitReached

# A llama-index model with the connections of one call, which end with it.
Opened = Callable[[], AbstractAsyncContextManager[Any]]
# Gives the model of the next call a function that is true, whatever it is called with, once it is to stop.
StopWhen = Callable[[Callable[..., bool]], None]

# What a reply that came to its end ends with, and the characters in which that is looked for.
_ENDED = re.compile(r"[.!?…:;)\]】»”\"'*|`]\s*\Z")
_ENDING = 20

# How the providers say that a reply has reached the most tokens that it may have.
_CUT_OFF = {"length", "max_tokens"}


class OverNetwork:
    """A call of a model behind a server: a loop of its own, in which waiting can be cancelled at any moment."""

    def __init__(self, opened: Opened, chat: Sequence[Any]) -> None:
        self._opened, self._chat = opened, chat
        self._loop = asyncio.new_event_loop()

    def run(self, say: Callable[[str], None]) -> None:
        """Make the request and say each piece."""
        with suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._said(say))

    def cancel(self) -> None:
        """Cancel whatever is awaited; the connection is closed."""
        with suppress(RuntimeError):  # the loop is closed: the call is over
            self._loop.call_soon_threadsafe(self._cancel_all)

    def _cancel_all(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _said(self, say: Callable[[str], None]) -> None:
        ending, finish = "", ""
        async with self._opened() as model, aclosing(await model.astream_chat(self._chat)) as pieces:
            async for piece in pieces:
                ending = (ending + (piece.delta or ""))[-_ENDING:]
                finish = _finish(piece.raw) or finish
                say(piece.delta or "")
        if finish in _CUT_OFF:
            raise _cut_off()
        if ending.strip() and not finish and not _ENDED.search(ending):
            raise EOFError("the reply broke off")


class InProcess:
    """A call of a model in this process, of which there is one at a time; it ends at the next token."""

    def __init__(self, model: Any, chat: Sequence[Any], turn: Lock, stop_when: StopWhen) -> None:
        self._model, self._chat, self._turn, self._stop_when = model, chat, turn, stop_when
        self._cancelled = Event()

    def run(self, say: Callable[[str], None]) -> None:
        """Wait for the model and say each piece."""
        with self._turn:
            if self._cancelled.is_set():
                return
            self._stop_when(lambda *_, **__: self._cancelled.is_set())
            finish = self._said(say)
        if finish in _CUT_OFF:
            raise _cut_off()

    def cancel(self) -> None:
        """Stop before the next token."""
        self._cancelled.set()

    def _said(self, say: Callable[[str], None]) -> str:
        """Says each piece and returns how the reply ended, as far as the model tells."""
        finish = ""
        for piece in self._model.stream_chat(self._chat):
            if self._cancelled.is_set():
                break
            finish = _finish(piece.raw) or finish
            say(piece.delta or "")
        return finish


def _finish(raw: Any) -> str:
    """How a provider says that a reply has ended; empty while it has not, or where it does not say."""
    found = raw if isinstance(raw, dict) else getattr(raw, "__dict__", {})
    for choice in found.get("choices") or ():
        reason = choice["finish_reason"] if isinstance(choice, dict) else choice.finish_reason
        if reason:
            return str(reason)
    stopped = getattr(found.get("delta"), "stop_reason", None)
    return str(found.get("done_reason") or stopped or ("stop" if found.get("done") else ""))


def _cut_off() -> LimitReached:
    return LimitReached("it reached the most tokens that a reply may have (raise PAPERCHAT_MAX_OUTPUT_TOKENS)")

"""Requests to llama-index chat models: over the network, where waiting can be cancelled, and in this process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from threading import Event, Lock
from typing import Any

from assistant.llm.streaming import LimitReached
from assistant.schema import Sampling

# Opens a llama-index model, which samples its replies if so; its connections live as long as the context.
OpenModel = Callable[[Sampling | None], AbstractAsyncContextManager[Any]]
# Passes the model of the next request a function that returns true, whatever its arguments, once it should stop.
SetStop = Callable[[Callable[..., bool]], None]
# Sets how the next reply of a model is sampled.
SetSampling = Callable[[Sampling | None], None]

# How a finished reply ends, and how many of the last characters are searched for it.
_FINISHED = re.compile(r"[.!?…:;)\]】»”\"'*|`]\s*\Z")
_TAIL_LENGTH = 20

# How the providers report that a reply has reached the limit of output tokens.
_CUT_OFF = {"length", "max_tokens"}


class NetworkRequest:
    """A request to a model on a server. It runs in an event loop of its own, so that it can be cancelled any time."""

    def __init__(self, open_model: Callable[[], AbstractAsyncContextManager[Any]], chat: Sequence[Any]) -> None:
        self._open_model, self._chat = open_model, chat
        self._loop = asyncio.new_event_loop()

    def run(self, emit: Callable[[str], None]) -> None:
        """Make the request and emit each piece of the reply."""
        with suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stream(emit))

    def cancel(self) -> None:
        """Cancel whatever is awaited, and close the connection."""
        with suppress(RuntimeError):  # the loop is closed: the request has ended
            self._loop.call_soon_threadsafe(self._cancel_tasks)

    def _cancel_tasks(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _stream(self, emit: Callable[[str], None]) -> None:
        tail, finish = "", ""
        async with self._open_model() as model, aclosing(await model.astream_chat(self._chat)) as chunks:
            async for chunk in chunks:
                tail = (tail + (chunk.delta or ""))[-_TAIL_LENGTH:]
                finish = _finish_reason(chunk.raw) or finish
                emit(chunk.delta or "")
        _check_finish(finish)
        if tail.strip() and not finish and not _FINISHED.search(tail):
            raise EOFError("the reply broke off")


class LocalRequest:
    """A request to a model in this process. The model serves one at a time and stops at the next token."""

    def __init__(
        self,
        model: Any,
        chat: Sequence[Any],
        lock: Lock,
        set_stop: SetStop,
        set_sampling: Callable[[], None] = lambda: None,
    ) -> None:
        self._model, self._chat, self._lock = model, chat, lock
        self._set_stop, self._set_sampling = set_stop, set_sampling
        self._cancelled = Event()

    def run(self, emit: Callable[[str], None]) -> None:
        """Wait for the model and emit each piece of its reply."""
        with self._lock:
            if self._cancelled.is_set():
                return
            self._set_stop(lambda *_, **__: self._cancelled.is_set())
            self._set_sampling()
            finish = self._stream(emit)
        _check_finish(finish)

    def cancel(self) -> None:
        """Stop before the next token."""
        self._cancelled.set()

    def _stream(self, emit: Callable[[str], None]) -> str:
        """Emit each piece and return the reason for which the reply ended, if the model gives one."""
        finish = ""
        for chunk in self._model.stream_chat(self._chat):
            if self._cancelled.is_set():
                break
            finish = _finish_reason(chunk.raw) or finish
            emit(chunk.delta or "")
        return finish


def _finish_reason(raw: Any) -> str:
    """Return a provider's reason for the end of a reply, or an empty text before the end and if it gives none."""
    fields = raw if isinstance(raw, dict) else getattr(raw, "__dict__", {})
    for choice in fields.get("choices") or ():
        reason = choice["finish_reason"] if isinstance(choice, dict) else choice.finish_reason
        if reason:
            return str(reason)
    stop_reason = getattr(fields.get("delta"), "stop_reason", None)
    return str(fields.get("done_reason") or stop_reason or ("stop" if fields.get("done") else ""))


def _check_finish(reason: str) -> None:
    """Raise LimitReached if the reply was cut off."""
    if reason in _CUT_OFF:
        raise LimitReached("it reached the limit of output tokens (raise PAPERCHAT_MAX_OUTPUT_TOKENS)")

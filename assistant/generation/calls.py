"""Call a language model several times for one answer, within a budget of tokens and seconds, and count the cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, cast

from assistant.generation.replies import StreamedReply, stream_reply
from assistant.protocols import LLM
from assistant.schema import Cost, Message, Sampling

if TYPE_CHECKING:
    from collections.abc import Generator

    from assistant.settings import Settings

TOKENS, SECONDS = "tokens", "seconds"
_OUT_OF_BUDGET = "the budget of the strategy ran out"


class Calls:
    """The calls of a language model for one answer.

    The first call is never limited: without it there is no answer. Once the budget is spent, `limit` names what ran
    out, a running call is stopped, and a further one is not made. Tokens are counted from the texts.
    """

    def __init__(self, llm: LLM, settings: Settings) -> None:
        self._llm, self._settings, self._started = llm, settings, monotonic()
        self._calls = self._failed = self._read = self._written = 0
        self.limit = ""

    @property
    def cost(self) -> Cost:
        """Return what has been spent until now."""
        seconds = round(monotonic() - self._started, 3)
        counts = self._calls, self._read, self._written
        return Cost(self._settings.strategy, *counts, seconds, self._failed, self.limit)

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[StreamedReply]:
        """Yield the reply as it grows, then done; with an error where the model fails or the budget runs out.

        The model stops where the reader does.
        """
        read = sum(self._llm.count_tokens(message.content) for message in messages)
        is_first = self._calls == 0
        if not is_first and self._is_spent(read):
            yield StreamedReply(error=_OUT_OF_BUDGET, done=True)
            return
        self._calls += 1
        self._read += read
        reply = StreamedReply()
        with closing(cast("Generator[StreamedReply]", stream_reply(self._llm, messages, sampling))) as replies:
            for reply in replies:
                if reply.done or (not is_first and self._is_spent(self._llm.count_tokens(reply.text))):
                    break
                yield reply
        yield self._ended(reply)

    def _ended(self, reply: StreamedReply) -> StreamedReply:
        """Count a reply that was read to its end, or was stopped, and return its last state."""
        self._written += self._llm.count_tokens(reply.text)
        if not reply.done:
            return replace(reply, error=_OUT_OF_BUDGET, done=True)
        self._failed += bool(reply.error)
        return reply

    def _is_spent(self, tokens: int) -> bool:
        """Return whether so many more tokens, or the time that has passed, exceed the budget, and note which does."""
        if monotonic() - self._started > self._settings.strategy_timeout:
            self.limit = SECONDS
        elif self._read + self._written + tokens > self._settings.strategy_tokens:
            self.limit = TOKENS
        return bool(self.limit)

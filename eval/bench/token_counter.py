"""Counts what a language model reads and writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from assistant.protocols import LLM
from assistant.schema import Message


class Metered:
    """An LLM that knows how many tokens it read and wrote since it was last looked at, in each thread by itself."""

    def __init__(self, llm: LLM) -> None:
        self.name, self._llm, self._counted = llm.name, llm, threading.local()

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The reply, piece by piece. Raises ModelError where the model fails."""
        read, written = self._held()
        read += sum(self._llm.count_tokens(message.content) for message in messages)
        text = ""
        for piece in self._llm.stream(messages):
            text += piece
            yield piece
        self._counted.held = read, written + self._llm.count_tokens(text)

    def count_tokens(self, text: str) -> int:
        """As the model itself counts."""
        return self._llm.count_tokens(text)

    def taken(self) -> tuple[int, int]:
        """Tokens read and written by this thread since the last call."""
        held = self._held()
        self._counted.held = 0, 0
        return held

    def _held(self) -> tuple[int, int]:
        held: tuple[int, int] = getattr(self._counted, "held", (0, 0))
        return held

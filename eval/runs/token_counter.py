"""Count the tokens that a language model reads and writes."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence

from assistant.protocols import LLM, WindowedLLM
from assistant.schema import Message, Sampling


class TokenCounter:
    """An LLM that counts the tokens it reads and writes, separately for each thread."""

    def __init__(self, llm: LLM) -> None:
        self.name, self._llm, self._local = llm.name, llm, threading.local()

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        """Stream the reply of the model, which counts as far as it was read. Raises ModelError if the model fails."""
        read, written = self._counts()
        read += sum(self._llm.count_tokens(message.content) for message in messages)
        text = ""
        pieces = self._llm.stream(messages, sampling)
        try:
            for piece in pieces:
                text += piece
                yield piece
        finally:
            if isinstance(pieces, Generator):
                pieces.close()
            self._local.counts = read, written + self._llm.count_tokens(text)

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text as the model does."""
        return self._llm.count_tokens(text)

    def context_window(self) -> int | None:
        """Return the tokens that the model reads; None if it is not known."""
        return self._llm.context_window() if isinstance(self._llm, WindowedLLM) else None

    def reset(self) -> tuple[int, int]:
        """Return the tokens that this thread has read and written since the last call."""
        counts = self._counts()
        self._local.counts = 0, 0
        return counts

    def _counts(self) -> tuple[int, int]:
        counts: tuple[int, int] = getattr(self._local, "counts", (0, 0))
        return counts

"""Encode the texts that one question needs, each of them once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.timing import milliseconds

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.encodings import EncodedText
    from assistant.protocols import Embedder, MessageReader


class QuestionEncoder:
    """Encodes texts as queries for one question, and remembers them.

    `elapsed_ms` is the time spent in the embedder. `models` is the folder with the classifiers that were fitted for
    other embedders than the packaged one, if there is one (see `assistant.question.fitted`). `messages` tells what a
    message wants; without it every message counts as a question.
    """

    def __init__(self, embedder: Embedder, models: Path | None = None, messages: MessageReader | None = None) -> None:
        self.embedder, self.models, self._messages = embedder, models, messages
        self.elapsed_ms = 0.0
        self._encoded: dict[str, EncodedText] = {}
        self._intents: dict[str, Mapping[str, float]] = {}

    def intents(self, text: str) -> Mapping[str, float]:
        """Return the probability of each intent of a message; none without a reader. Raises ModelError."""
        if self._messages is None:
            return {}
        if text not in self._intents:
            self._intents[text] = self._messages.read(text)
        return self._intents[text]

    def encode(self, text: str) -> EncodedText:
        """Return one text, encoded. Raises ModelError."""
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> list[EncodedText]:
        """Return the texts, encoded; those not encoded before go through the embedder together. Raises ModelError."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._encoded]
        if missing:
            started = time.perf_counter()
            self._encoded.update(zip(missing, self.embedder.encode_queries(missing), strict=True))
            self.elapsed_ms += milliseconds(started)
        return [self._encoded[text] for text in texts]

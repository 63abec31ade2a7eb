"""Fakes of models that take their time, or make noise, for a process that a test starts."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from assistant import factory
from assistant.encodings import EncodedText
from assistant.schema import Message, Sampling
from assistant.settings import Settings
from tests.fakes import ScriptedLLM, WordHashEmbedder, WordOverlapReader

_MINUTE = 60


class MinuteLLM(ScriptedLLM):
    """Writes for a minute; where it is stopped, it says so in the file STOPPED."""

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        try:
            for _ in range(_MINUTE * 10):
                yield "word "
                time.sleep(0.1)
        except GeneratorExit:
            Path(os.environ["STOPPED"]).write_text("stopped")
            raise


class SlowEmbedder(WordHashEmbedder):
    """Encodes each batch in two seconds."""

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        time.sleep(2)
        return super().encode_documents(texts)


def replace_models(fakes: Collection[str]) -> None:
    """Replace the models of this process.

    `slow-models` load for a minute, `slow-llm` writes for one, `slow-index` takes two seconds to index, `noise` prints
    to standard output.
    """

    def open_embedder(settings: Settings) -> WordHashEmbedder:
        if "slow-models" in fakes:
            time.sleep(_MINUTE)
        if "noise" in fakes:
            print("a library prints to standard output")
            os.write(1, b"and a library in C does, too\n")
        return SlowEmbedder() if "slow-index" in fakes else WordHashEmbedder()

    factory.open_embedder = open_embedder
    factory.open_pair_reader = lambda settings, embedder: WordOverlapReader()
    factory.open_message_reader = lambda settings, embedder: None  # type: ignore[assignment, return-value]
    if "slow-llm" in fakes:
        factory.open_llm = lambda settings: MinuteLLM()

"""Run `paperchat` in a process of its own, as a client starts it, with fakes of the models.

What FAKES names is added: `slow-models` load for a minute, `slow-llm` writes for a minute, `noise` prints to standard
output, `modules` writes the names of the loaded modules to the file MODULES when the models begin to load.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant import factory
from assistant.schema import Message, Sampling
from assistant.settings import Settings
from ui import cli

FAKES = os.environ.get("FAKES", "").split()
_MINUTE = 60


def main() -> None:
    """Replace the models, then run the command."""
    if "modules" in FAKES:
        _write_modules()
    else:
        _replace_models()
    cli.main()


def _write_modules() -> None:
    from ui.mcp.access import LibraryAccess

    file = Path(os.environ["MODULES"])
    LibraryAccess.warm = lambda _: file.write_text(json.dumps(sorted(sys.modules)))  # type: ignore[assignment, method-assign]


def _replace_models() -> None:
    from tests.fakes import ScriptedLLM, WordHashEmbedder, WordOverlapReader

    class TricklingLLM(ScriptedLLM):
        def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
            stopped = Path(os.environ["STOPPED"])
            try:
                for _ in range(_MINUTE * 10):
                    yield "word "
                    time.sleep(0.1)
            except GeneratorExit:
                stopped.write_text("stopped")
                raise

    def open_embedder(settings: Settings) -> WordHashEmbedder:
        if "slow-models" in FAKES:
            time.sleep(_MINUTE)
        if "noise" in FAKES:
            print("a library prints to standard output")
            os.write(1, b"and a library in C does, too\n")
        return WordHashEmbedder()

    factory.open_embedder = open_embedder
    factory.open_pair_reader = lambda settings, embedder: WordOverlapReader()
    factory.open_message_reader = lambda settings, embedder: None  # type: ignore[assignment, return-value]
    if "slow-llm" in FAKES:
        factory.open_llm = lambda settings: TricklingLLM()


if __name__ == "__main__":
    main()

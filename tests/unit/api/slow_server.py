"""Serve a library whose language model goes on writing until a file appears: slow_server.py api|page FLAGS PAPERS.

FLAGS is a folder: `writing` appears in it when the model begins, `finish` is what it waits for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant import factory
from assistant.chat import Assistant
from assistant.schema import Message, Sampling
from assistant.settings import load
from ingest import pipeline
from tests.fakes import ScriptedLLM, WordHashEmbedder, WordOverlapReader
from ui.api.server import serve as serve_api
from ui.mcp.mounting import mount_mcp


class PatientLLM(ScriptedLLM):
    """An LLM that ends its reply once a file is there."""

    def __init__(self, flags: Path) -> None:
        super().__init__()
        self._flags = flags

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        (self._flags / "writing").touch()
        yield "Honey bees communicate the place of flowers by a waggle dance [1]. "
        while not (self._flags / "finish").exists():
            time.sleep(0.01)
            yield ""
        yield "Older bees dance longer [1]."


def main() -> None:
    kind, flags, papers = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    settings = load(port=0, firm_threshold=0.0, tentative_threshold=0.0)
    library = factory.open_library(settings, WordHashEmbedder())
    pipeline.ingest([papers], library)
    assistant = Assistant(library, settings, WordOverlapReader(), PatientLLM(flags))
    factory.open_assistant = lambda *_: assistant
    if kind == "api":
        serve_api(settings, print, mount_mcp)
    else:
        from ui.page.server import serve as serve_page

        serve_page(settings, print, mount_mcp)


if __name__ == "__main__":
    main()

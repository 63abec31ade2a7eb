from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant import wiring
from assistant.chat import Assistant
from assistant.library import Library
from assistant.ports import LLM
from assistant.settings import Settings, load
from ingest import pipeline
from tests.fakes import WordHashEmbedder

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"

# Before any test module imports a library that would call home.
wiring.stay_local(Settings())


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a home of the test's own, untouched by the machine's variables and files."""
    monkeypatch.chdir(tmp_path)
    return load(home=tmp_path / "home")


@pytest.fixture
def open_library(settings: Settings) -> Iterator[Callable[[], Library]]:
    """Opens the library of `settings`, the real store and lexicon over the word-hash embedder, as often as asked."""
    opened: list[Library] = []

    def open_one() -> Library:
        opened.append(wiring.open_library(settings, WordHashEmbedder()))
        return opened[-1]

    yield open_one
    for library in opened:
        library.close()


@pytest.fixture
def library(open_library: Callable[[], Library]) -> Library:
    """An empty library."""
    return open_library()


@pytest.fixture
def papers_file(tmp_path: Path) -> Path:
    """A file of three papers on very different subjects."""
    file = tmp_path / "papers.txt"
    file.write_text(
        "Abstract: Glaciers in the northern Alps lost a third of their ice between 1990 and 2020. We measure the loss "
        "with airborne laser scans of 412 glaciers. The loss doubles after 2005. Small glaciers shrink the fastest.\n"
        "Abstract: Honey bees communicate the place of flowers by a waggle dance. We decode 5,096 dances with a neural "
        "network. The network reads the direction of a dance with an error of 4 degrees. Older bees dance longer.\n"
        "Abstract: Sourdough bread rises by wild yeast and lactic acid bacteria. We sequence the starters of 500 "
        "bakers. Acetic acid bacteria are found in a third of them. The smell of a starter depends on its bacteria.\n",
        encoding="utf-8",
    )
    return file


@pytest.fixture
def assistant(library: Library, settings: Settings, papers_file: Path) -> Assistant:
    """An assistant without a model over the three papers."""
    pipeline.ingest([papers_file], library)
    return Assistant(library, settings)


@pytest.fixture
def assistant_with(assistant: Assistant) -> Callable[[LLM], Assistant]:
    """The same over a language model."""
    return lambda llm: Assistant(assistant.library, assistant.settings, llm)


@pytest.fixture
def judging(assistant: Assistant) -> Callable[..., Assistant]:
    """Assistants over the three papers with other limits of confidence; by default every answer is firm."""

    def with_limits(llm: LLM | None = None, *, firm_from: float = 0.0, tentative_from: float = 0.0) -> Assistant:
        limits = {"firm_from": firm_from, "tentative_from": tentative_from}
        return Assistant(assistant.library, assistant.settings.model_copy(update=limits), llm)

    return with_limits

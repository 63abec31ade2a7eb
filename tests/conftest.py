from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from typer.testing import CliRunner

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.generation import shown
from assistant.protocols import LLM, Embedder, PairReader
from assistant.settings import Settings, load
from assistant.storage.library import Library
from ingest import pipeline
from tests.chromas import ChromaProcess
from tests.fakes import WordHashEmbedder, WordOverlapReader
from tests.postgres import PostgresProcess, postgres_process

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
# A question that the second paper of `papers_file` answers.
BEES = "How do honey bees communicate the place of flowers by a waggle dance?"

_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own there
_ENOUGH_BYTES = 4 << 30


def pytest_configure() -> None:
    """Keep temporary files in memory where there is enough: on a disk, filling libraries takes half as long again."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


# Before any test module imports a library that reads these variables.
factory.restrict_network_access(Settings())


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings with an empty home directory, without the environment variables and files of the machine."""
    for name in [name for name in os.environ if name.startswith("PAPERCHAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return load(home=tmp_path / "home")


@pytest.fixture
def open_library(settings: Settings) -> Iterator[Callable[[], Library]]:
    """Return a function that opens the library of `settings`, with the word-hash embedder and the real indexes."""
    opened: list[Library] = []

    def open_and_record() -> Library:
        opened.append(factory.open_library(settings, WordHashEmbedder()))
        return opened[-1]

    yield open_and_record
    for library in opened:
        library.close()


@pytest.fixture(autouse=True)
def overlap_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let texts be read by words where the embedder is fake, and by the packaged pair reader where it is real."""
    load = factory.open_pair_reader

    def open_pair_reader(settings: Settings, embedder: Embedder) -> PairReader:
        return WordOverlapReader() if isinstance(embedder, WordHashEmbedder) else load(settings, embedder)

    monkeypatch.setattr(factory, "open_pair_reader", open_pair_reader)


@pytest.fixture
def every_hit_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a language model all hits, also those on other topics, of which these small libraries consist."""
    monkeypatch.setattr(shown, "SHARE_OF_BEST", 0.0)


@pytest.fixture
def library(open_library: Callable[[], Library]) -> Library:
    """Return an empty library."""
    return open_library()


@pytest.fixture
def papers_file(tmp_path: Path) -> Path:
    """Return a file of three papers on unrelated topics."""
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
    """Return an assistant without a language model over the three papers."""
    pipeline.ingest([papers_file], library)
    return factory.open_assistant(settings, library)


@pytest.fixture
def assistant_with(assistant: Assistant) -> Callable[[LLM], Assistant]:
    """Return a function that creates the same assistant with a language model."""
    return lambda llm: Assistant(assistant.library, assistant.settings, assistant.reader, llm, assistant.reranker)


@pytest.fixture(scope="session")
def read_only() -> Iterator[list[Library]]:
    """Yield a list for the library that all uses of `reader` share; the first of them opens it."""
    shared: list[Library] = []
    yield shared
    for library in shared:
        library.close()


@pytest.fixture
def reader(
    read_only: list[Library], settings: Settings, papers_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Assistant:
    """Return an assistant over a shared library of the three papers, for tests that only read."""
    if not read_only:
        shared = settings.model_copy(update={"home": tmp_path_factory.mktemp("read-only")})
        library = factory.open_library(shared, WordHashEmbedder())
        pipeline.ingest([papers_file], library)
        read_only.append(library)
    return factory.open_assistant(settings, read_only[0])


@pytest.fixture
def make_assistant(reader: Assistant) -> Callable[..., Assistant]:
    """Return a function that creates a reader with a language model or thresholds; by default answers are firm."""

    def make(
        llm: LLM | None = None, *, firm_from: float = 0.0, tentative_from: float = 0.0, verify: str = "normal"
    ) -> Assistant:
        values = {"firm_threshold": firm_from, "tentative_threshold": tentative_from, "verify": verify}
        return Assistant(reader.library, reader.settings.model_copy(update=values), reader.reader, llm, reader.reranker)

    return make


@dataclass(frozen=True)
class Run:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return standard output, parsed as JSON."""
        return json.loads(self.out)


Paperchat = Callable[..., Run]


@pytest.fixture
def paperchat(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Paperchat:
    """Return a function that runs the command in this process, with the word-hash embedder."""
    from ui import cli

    opened: list[Any] = []

    def recording(function: Callable[..., Any]) -> Callable[..., Any]:
        def open_and_record(*arguments: Any, **options: Any) -> Any:
            opened.append(function(*arguments, **options))
            return opened[-1]

        return open_and_record

    def run(*arguments: object, stdin: Any = "") -> Run:
        monkeypatch.setattr(sys, "argv", ["paperchat", *map(str, arguments)])
        text = io.TextIOWrapper(io.BytesIO(stdin.encode())) if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", text)
        code: Any = 0
        try:
            cli.main()
        except SystemExit as exit:
            code = exit.code or 0
        while opened:  # as at the end of a process
            opened.pop().close()
        return Run(int(code), *capsys.readouterr())

    for name in [name for name in os.environ if name.startswith("PAPERCHAT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PAPERCHAT_HOME", str(settings.home))
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    for name in ("open_catalog", "open_library"):
        monkeypatch.setattr(factory, name, recording(getattr(factory, name)))
    return run


@pytest.fixture
def filled(paperchat: Paperchat, papers_file: Path) -> Paperchat:
    """Return the command, with a library of the three papers."""
    assert paperchat("ingest", papers_file).code == 0
    return paperchat


@pytest.fixture(scope="session")
def shared_libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the libraries that all evaluations share; each is created once."""
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture
def eval_settings(settings: Settings, shared_libraries: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings for an evaluation with the word-hash embedder."""
    (settings.home / "eval").mkdir(parents=True)
    (settings.home / "eval" / "libraries").symlink_to(shared_libraries, target_is_directory=True)
    monkeypatch.setenv("PAPERCHAT_HOME", str(settings.home))
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    return settings


@pytest.fixture
def use_llm(monkeypatch: pytest.MonkeyPatch) -> Callable[[LLM], None]:
    """Return a function that makes commands use a language model instead of the one that they name."""

    def replace_llm(llm: LLM) -> None:
        monkeypatch.setattr(factory, "open_llm", lambda named: None if named.llm == factory.EXTRACTIVE else llm)

    return replace_llm


@pytest.fixture
def evaluate(eval_settings: Settings) -> Callable[..., Run]:
    """Return a function that runs `python -m eval` in this process."""
    from eval.__main__ import app

    def run(*arguments: object) -> Run:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if isinstance(result.exception, PaperchatError):  # printed as by `main`
            return Run(1, result.stdout, f"eval: {result.exception}\n")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Run(result.exit_code, result.stdout, result.stderr)

    return run


# No property depends on how fast the machine is.
hypothesis.settings.register_profile(
    "paperchat", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("paperchat")


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    """Yield a running Chroma server that all tests share; they must not stop it."""
    server = ChromaProcess(tmp_path_factory.mktemp("chroma") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresProcess]:
    """Yield a running PostgreSQL server that all tests share; they must not stop it."""
    with postgres_process() as server:
        yield server


@pytest.fixture(scope="session")
def seeds_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Yield a library of the seeds that all tests share; they may read it or ingest the seeds again."""
    library = factory.open_library(load(home=tmp_path_factory.mktemp("seeds")), WordHashEmbedder())
    pipeline.ingest([SEEDS], library)
    yield library
    library.close()

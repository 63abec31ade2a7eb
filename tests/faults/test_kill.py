"""kill -9 at random moments of an ingest: what the next run makes of it is the library of a run without an accident.

The vectors are in a folder, or on a Chroma server, which goes on.

Ten moments by default; `KILLS=50 pytest tests/faults/test_kill.py` tries fifty.
"""

from __future__ import annotations

import signal
import time
from contextlib import closing
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from assistant import factory
from assistant.settings import Settings, load
from ingest import indexing, pipeline
from tests.chromas import ChromaProcess
from tests.conftest import SEEDS
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.processes import MOMENTS, PROCESSES, exit_code, kill_after, start

# Small batches, so that the ingest has many steps to be killed between, and in.
PATHS = [SEEDS / "000_917dde31eefbba1f.txt", SEEDS / "004_18424ad33afb765c.txt"]
BATCH = 2


def ingest(home: Path, store: str | None) -> None:
    indexing.BATCH_SIZE = BATCH
    with closing(factory.open_library(load(home=home, store=store), WordHashEmbedder(), for_repair=True)) as library:
        pipeline.ingest(PATHS, library)


def ingest_timed(home: Path, store: str | None, begun: Synchronized[float], ended: Synchronized[float]) -> None:
    """Ingest, noting when the work began, the slow imports behind it, and when it was done."""
    factory.open_library(load(home=home, store=store), WordHashEmbedder(), for_repair=True).close()
    begun.value = time.monotonic()
    ingest(home, store)
    ended.value = time.monotonic()


def content(settings: Settings) -> Everything:
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        assert library.compare() == {}
        return everything(library)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Everything, float]:
    """The library of an ingest that nothing happens to, and how many seconds it takes."""
    settings = load(home=tmp_path_factory.mktemp("uninterrupted"))
    begun, ended = PROCESSES.Value("d", 0.0), PROCESSES.Value("d", 0.0)
    process = start(ingest_timed, settings.home, None, begun, ended)
    process.join()
    assert process.exitcode == 0
    return content(settings), ended.value - begun.value


@pytest.fixture(params=["folder", "server"])
def killed(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of the library whose ingest is killed."""
    if request.param == "folder":
        return settings
    server: ChromaProcess = request.getfixturevalue("chroma_server")
    return settings.model_copy(update={"store": server.address})


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_ingest_killed_at_a_random_moment_and_run_again_makes_the_very_same_library(
    moment: int, uninterrupted: tuple[Everything, float], killed: Settings
) -> None:
    expected, seconds = uninterrupted
    begun, ended = PROCESSES.Value("d", 0.0), PROCESSES.Value("d", 0.0)
    process = start(ingest_timed, killed.home, killed.store, begun, ended)
    while not begun.value:
        assert process.is_alive()
        time.sleep(0.001)
    time.sleep(kill_after(moment, seconds))
    process.kill()
    process.join()
    assert process.exitcode in (-signal.SIGKILL, 0)  # 0 where this run was faster than the first
    assert exit_code(ingest, killed.home, killed.store) == 0
    assert content(killed) == expected

"""Processes forked from a server that has made the slow imports and opened nothing."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess

import pytest

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "assistant.storage.chroma_store",
        "assistant.storage.conversations",
        "assistant.storage.lexicon",
        "assistant.storage.word_vectors",
        "chromadb.api.rust",
        "datasketch",
        "ingest.maintenance.backup",
        "scipy.cluster",
        "tests.conftest",
        "tests.everything",
    ]
)
_TIMEOUT_SECONDS = 200
_KILLS = int(os.environ.get("KILLS", "10"))
# The moments at which a test kills what it tests: `make test` tries the middle one, `make slow` the others.
MOMENTS = [pytest.param(moment, marks=[pytest.mark.slow] * (moment != _KILLS // 2)) for moment in range(_KILLS)]


def start(task: Callable[..., object], *arguments: object) -> ForkServerProcess:
    """Start a process that runs a task."""
    with pytest.MonkeyPatch.context() as patched:
        # The server does not get this process's sys.path, and a test may have changed the directory.
        patched.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
    process = PROCESSES.Process(target=task, args=arguments)
    process.start()
    return process


def kill_after(moment: int, seconds: float) -> float:
    """Return when in a run of this length to kill it: somewhere in the moment's share of the run."""
    return (moment + random.Random(moment).random()) / _KILLS * seconds  # noqa: S311 - no secret


def exit_code(task: Callable[..., object], *arguments: object) -> int | None:
    """Run a task in a process and return its exit code, negative if a signal ended it."""
    process = start(task, *arguments)
    process.join(_TIMEOUT_SECONDS)
    process.kill()
    process.join()
    return process.exitcode

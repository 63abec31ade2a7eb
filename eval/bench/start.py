"""Measure what a person waits for: a command's processor time, a first answer, a page, beside one import of a library.

Every figure is of a process of its own. The processes run in turn, so that a change in the load of the machine affects
all of them alike.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from assistant.errors import InputError

# Runs of each command that are counted.
RUNS = 5
_COMMAND = [sys.executable, "-m", "ui.cli"]
_LIBRARY = "import sentence_transformers"
# A process prints its own status when it ends: the operating system counts the parent's memory as a child's peak.
_PRINT_STATUS = (
    "import atexit, pathlib, sys; status = pathlib.Path('/proc/self/status'); "
    "atexit.register(lambda: status.exists() and print(status.read_text(), file=sys.stderr)); "
)
_PAGE_LIMIT_S = 120

Json = dict[str, Any]
Figures = dict[str, float]


def measure_start(home: Path, question: str, runs: int = RUNS) -> Json:
    """Measure commands over the library in a directory: medians of so many runs, units in the names.

    The first run of each is not counted: it reads files that the others find in memory. Raises InputError where the
    library cannot be served.
    """
    calls: dict[str, Callable[[], Figures]] = {
        "help": lambda: run_process([*_COMMAND, "--help"]),
        "list": lambda: run_process([*_COMMAND, "--home", str(home), "list"]),
        "search": lambda: run_process(measured("--home", str(home), "search", question)),
        "ask": lambda: run_process(measured("--home", str(home), "ask", "--no-save", question)),
        "page": lambda: run_page(home),
        "import of sentence-transformers": lambda: run_process([sys.executable, "-c", _PRINT_STATUS + _LIBRARY]),
    }
    return {name: _medians(results) for name, results in _alternating(calls, runs).items()}


def measured(*arguments: str) -> list[str]:
    """Return the command line of paperchat's command in a process that prints its peak memory on Linux."""
    return [sys.executable, "-c", f"{_PRINT_STATUS}from ui.cli import main; main()", *arguments]


def run_process(command: Sequence[str]) -> Figures:
    """Return the seconds of a process by the clock and of the processor, and its peak memory where it prints that."""
    before, started = os.times(), time.perf_counter()
    process = subprocess.run(  # noqa: S603 - paperchat's own command
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True
    )
    seconds, after = time.perf_counter() - started, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    peak = re.search(r"VmHWM:\s+(\d+) kB", process.stderr)
    memory = {"peak_memory_mb": int(peak[1]) / 1024} if peak else {}
    return {"seconds": seconds, "processor_s": processor, **memory}


def run_page(home: Path) -> Figures:
    """Return the seconds from the command until the page answers."""
    port = _free_port()
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - paperchat's own command
        [*_COMMAND, "--home", str(home), "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/"):
            if process.poll() is not None or time.perf_counter() - started > _PAGE_LIMIT_S:
                raise InputError(str(home), "the page of this library does not start: see paperchat serve")
            time.sleep(0.02)
        return {"seconds": time.perf_counter() - started}
    finally:
        process.terminate()
        process.wait()


def _alternating(calls: Mapping[str, Callable[[], Figures]], runs: int) -> dict[str, list[Figures]]:
    """Return the figures of each call, taken in turn, without those of its first run."""
    results: dict[str, list[Figures]] = {name: [] for name in calls}
    for _ in range(runs + 1):
        for name, call in calls.items():
            results[name].append(call())
    return {name: figures[1:] for name, figures in results.items()}


def _medians(runs: Sequence[Figures]) -> Figures:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=1) as response:  # noqa: S310 - the address is our own
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

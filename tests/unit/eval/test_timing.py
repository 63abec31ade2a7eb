"""Latencies of calls that are measured in turn."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import pytest

from assistant.errors import InputError
from assistant.settings import Settings
from eval.bench import start
from eval.bench.speed import measure_speed
from eval.bench.timing import measure_alternating

TEXTS = [f"question {number}" for number in range(9)]


def test_calls_take_turns_in_blocks_and_each_gets_every_text_once_beside_one_to_warm_up_a_block() -> None:
    log: list[tuple[str, str]] = []
    calls = {name: lambda text, name=name: log.append((name, text)) for name in ("ours", "theirs", "plain")}
    latencies = measure_alternating(calls, TEXTS, block=4)
    assert latencies.keys() == calls.keys()
    turns = [list(turn) for _, turn in groupby(log, key=lambda entry: entry[0])]
    assert [turn[0][0] for turn in turns] == list(calls) * 3
    assert [len(turn) - 1 for turn in turns] == [4, 4, 4, 4, 4, 4, 1, 1, 1]
    for name in calls:
        blocks = [turn for turn in turns if turn[0][0] == name]
        assert sorted(text for turn in blocks for _, text in turn[1:]) == TEXTS
        assert all(turn[0] not in turn[1:] for turn in blocks)


def test_a_size_without_a_collection_is_refused_with_the_sizes_there_are(eval_settings: Settings) -> None:
    with pytest.raises(InputError, match="--sizes: 300 is not one of 278, 5183, 80753"):
        measure_speed(eval_settings, [300])


def test_a_process_is_measured_by_the_clock_the_processor_and_its_memory() -> None:
    figures = start.run_process([sys.executable, "-c", f"{start._PRINT_STATUS}sum(range(1_000_000))"])
    assert 0 < figures["processor_s"] < 60
    assert figures["seconds"] > 0
    assert figures.get("peak_memory_mb", 1) > 0


def test_the_first_run_of_a_command_is_not_counted() -> None:
    seconds = iter([100.0, 1.0, 3.0, 2.0])
    results = start._alternating({"command": lambda: {"seconds": next(seconds)}}, runs=3)
    assert start._medians(results["command"]) == {"seconds": 2.0}


def test_a_page_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(InputError, match="does not start"):
        start.run_page(tmp_path / "home")

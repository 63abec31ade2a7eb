"""Latencies of calls that are measured in turn."""

from __future__ import annotations

from itertools import groupby

import pytest

from assistant.errors import InputError
from assistant.settings import Settings
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

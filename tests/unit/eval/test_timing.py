"""Latencies of calls that are measured in turn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from assistant.errors import InputError
from assistant.settings import Settings
from eval.bench.speed import measure_speed
from eval.bench.timing import measure_alternating

TEXTS = [f"question {number}" for number in range(9)]


def test_every_call_gets_every_text_once_after_one_to_warm_up_and_no_call_runs_twice_in_a_row() -> None:
    log: list[tuple[str, str]] = []
    calls = {name: lambda text, name=name: log.append((name, text)) for name in ("ours", "theirs", "plain")}
    latencies = measure_alternating(calls, TEXTS)
    assert latencies.keys() == calls.keys()
    warm_up, measured = log[:3], log[3:]
    assert warm_up == [(name, TEXTS[0]) for name in calls]
    for name in calls:
        assert sorted(text for caller, text in measured if caller == name) == TEXTS
    assert [caller for caller, _ in measured] == list(calls) * len(TEXTS)
    assert all(first[1] != second[1] for first, second in pairwise(measured))


def test_a_size_without_a_collection_is_refused_with_the_sizes_there_are(measuring: Settings) -> None:
    with pytest.raises(InputError, match="--sizes: 300 is not one of 278, 5183, 80753"):
        measure_speed(measuring, [300])

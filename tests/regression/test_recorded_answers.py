"""What is found and answered stays as it was recorded: ids, scores, evidence, verdicts and whole answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from assistant.chat import Assistant
from tests.regression import replay

CASES = replay.cases()
# Of scores, confidences and supports; ids, offsets, verdicts and texts are equal.
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with replay.seeds_assistant(tmp_path_factory.mktemp("recorded")) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(replay.RECORDED.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_is_answered_is_what_was_recorded(
    case: dict[str, Any], seeded: Assistant, recorded: dict[str, Any]
) -> None:
    differences = list(_differences(recorded[case["id"]], replay.outcome(case, seeded)))
    assert differences == []


def test_every_mode_is_among_the_cases() -> None:
    assert {case["mode"] for case in CASES} == {"search", "answer", "model", "dialog", "verify"}
    assert len(CASES) >= 60


def _differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ; floating-point numbers by more than TOLERANCE."""
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        for name in expected:
            yield from _differences(expected[name], actual[name], f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(actual, (list, tuple)) and len(expected) == len(actual):
        for position, (before, now) in enumerate(zip(expected, actual, strict=True)):
            yield from _differences(before, now, f"{path}[{position}]")
    elif isinstance(expected, float) and isinstance(actual, int | float):
        if not math.isclose(expected, actual, rel_tol=0, abs_tol=TOLERANCE):
            yield f"{path}: {expected} became {actual}"
    elif expected != actual:
        yield f"{path}: {expected!r} became {actual!r}"

"""A stored calibration is used by the library or embedder it was fitted to, and by no other models."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answering import calibration
from assistant.answering.calibration import PACKAGED, Calibration
from assistant.chat import Assistant
from assistant.errors import LibraryError

MODELS = "packaged@1 reader"
DOUBTFUL = replace(PACKAGED, topic=replace(PACKAGED.topic, bias=-1000.0))


def test_what_is_stored_is_read_again(tmp_path: Path) -> None:
    file = calibration.store(DOUBTFUL, MODELS, tmp_path / "new")
    assert calibration.read(MODELS, tmp_path / "new") == DOUBTFUL
    assert [path.name for path in file.parent.iterdir()] == [calibration.FILE]


def test_the_first_folder_with_a_calibration_for_the_models_counts_and_the_package_s_is_last(tmp_path: Path) -> None:
    library, embedder = tmp_path / "library", tmp_path / "embedder"
    assert calibration.find(MODELS, (library, embedder)) is PACKAGED
    calibration.store(DOUBTFUL, MODELS, embedder)
    assert calibration.find(MODELS, (library, embedder)) == DOUBTFUL
    calibration.store(PACKAGED, MODELS, library)
    assert calibration.find(MODELS, (library, embedder)) == PACKAGED
    assert calibration.find("packaged@1 other reader", (library, embedder)) is PACKAGED
    assert calibration.is_outdated("packaged@1 other reader", library)
    assert not calibration.is_outdated(MODELS, library)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:40],
        lambda _: "[]",
        lambda content: content.replace('"bias": -1000.0', '"bias": "high"'),
        lambda content: content.replace('"bias": -1000.0', '"bias": NaN'),
        lambda content: content.replace('"weakest"', '"strongest"'),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it_and_the_cure(tmp_path: Path, damage: Callable[[str], str]) -> None:
    file = calibration.store(DOUBTFUL, MODELS, tmp_path)
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(LibraryError, match=r"calibration\.json is damaged \(.*\); delete it, or fit it again"):
        calibration.find(MODELS, (tmp_path,))


def test_a_calibration_of_an_earlier_format_is_not_used(tmp_path: Path) -> None:
    file = calibration.store(DOUBTFUL, MODELS, tmp_path)
    content = json.loads(file.read_text(encoding="utf-8")) | {"format": 0, "topic": "something else"}
    file.write_text(json.dumps(content), encoding="utf-8")
    assert calibration.find(MODELS, (tmp_path,)) is PACKAGED


@pytest.mark.parametrize(("fitted", "answered"), [(PACKAGED, True), (DOUBTFUL, False)])
def test_an_assistant_judges_by_its_calibration(reader: Assistant, fitted: Calibration, *, answered: bool) -> None:
    judging = Assistant(reader.library, reader.settings, reader.reader, reranker=reader.reranker, calibration=fitted)
    assert judging.ask("Which glaciers shrink the fastest?").answered is answered

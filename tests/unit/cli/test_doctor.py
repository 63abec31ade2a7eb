"""What `paperchat doctor` finds, and how it says it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant import factory
from assistant.answering import calibration
from assistant.question import fitted
from assistant.schema import Paper
from assistant.settings import Settings, deprecated_names
from assistant.storage.catalog import PaperChange
from assistant.storage.database import DatabaseDescription
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import WordHashEmbedder
from ui import doctor, doctor_parts
from ui.api.tokens import open_tokens
from ui.doctor_parts import PartStatus
from ui.permissions import Role

Open = Callable[[], Library]
EMBEDDER = WordHashEmbedder()
FAULTS, IS_PACKAGED = fitted.faults, fitted.is_packaged


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake embedder, a version to report, and no variables of the machine's."""
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr(doctor, "version", lambda _: "9.9")
    monkeypatch.setattr(doctor, "unknown_variables", list)
    monkeypatch.setattr(doctor, "deprecated_names", lambda _: [])
    monkeypatch.setattr(fitted, "faults", lambda *_: [])
    monkeypatch.setattr(fitted, "is_packaged", lambda _: True)


@pytest.fixture
def filled(open_library: Open, papers_file: Path) -> Library:
    library = open_library()
    pipeline.ingest([papers_file], library)
    return library


@pytest.mark.usefixtures("filled")
def test_a_healthy_library_has_no_problems(settings: Settings) -> None:
    found = doctor.examine(settings)
    assert found.problems == []
    assert found.facts["papers"] == 3
    assert found.facts["waiting"] == 0
    assert found.facts["firm answers"] == "not fitted: python -m eval selftest fits it"
    assert found.facts["settings"] == settings.model_dump(mode="json")


def test_a_library_that_is_not_there_yet_has_no_problems(settings: Settings) -> None:
    found = doctor.examine(settings)
    assert found.problems == []
    assert found.facts["papers"] == 0


def test_misspelt_variables_are_problems(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "unknown_variables", lambda: ["PAPERCHAT_A", "PAPERCHAT_B"])
    assert [problem.split()[0] for problem in doctor.examine(settings).problems] == ["PAPERCHAT_A", "PAPERCHAT_B"]


def test_an_earlier_name_of_a_setting_is_noted_with_the_new_one_and_is_no_problem(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "deprecated_names", deprecated_names)
    monkeypatch.setenv("PAPERCHAT_PAPERS", "3")
    monkeypatch.setenv("PAPERCHAT_STATEMENTS", "3")
    monkeypatch.setenv("PAPERCHAT_MAX_SENTENCES", "3")
    found = doctor.examine(settings)
    assert found.problems == []
    assert [note.split()[0] for note in found.notes] == ["PAPERCHAT_PAPERS", "PAPERCHAT_STATEMENTS"]
    assert "PAPERCHAT_TOP_K" in found.notes[0]
    assert "ignored" in found.notes[1]
    assert doctor.as_text(found).splitlines()[-3:] == [*(f"NOTE: {note}" for note in found.notes), "All is well."]


def test_weights_that_are_not_fitted_to_the_embedder_are_noted_with_the_command_that_fits_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitted, "faults", FAULTS)
    monkeypatch.setattr(fitted, "is_packaged", IS_PACKAGED)
    found = doctor.examine(settings)
    assert found.problems == []
    assert "python -m eval fit-embedder" in found.notes[0]
    assert "confidences were fitted with the packaged embedder" in found.notes[1]
    assert found.facts["confidences"] == "as the package has them"


@pytest.mark.parametrize(("number", "name"), [(0, "this library"), (1, "this embedder")])
def test_what_confidences_are_fitted_to_is_told(settings: Settings, number: int, name: str) -> None:
    models, folders = factory.calibrated_models(EMBEDDER), factory.calibration_folders(settings, EMBEDDER)
    calibration.store(calibration.PACKAGED, models, folders[number])
    found = doctor.examine(settings)
    assert found.facts["confidences"] == f"fitted to {name}"
    assert found.problems == []


def test_a_calibration_with_other_models_is_noted_and_a_damaged_one_is_a_problem(settings: Settings) -> None:
    file = calibration.store(calibration.PACKAGED, "an earlier reader", settings.home)
    assert f"{file} was fitted with other models and is not used" in doctor.examine(settings).notes[0]
    file.write_text(file.read_text(encoding="utf-8")[:50], encoding="utf-8")
    (problem,) = doctor.examine(settings).problems
    assert problem.startswith(f"{file} is damaged")


def test_papers_that_wait_are_a_problem(settings: Settings, filled: Library) -> None:
    waiting = Paper("0", "An abstract.")
    filled.catalog.put([PaperChange(waiting, {}, frozenset(), frozenset())], run=9)
    found = doctor.examine(settings)
    assert found.facts["waiting"] == 1
    assert found.problems == ["1 papers are not indexed yet: run paperchat doctor --repair"]


@pytest.mark.parametrize("index", ["store", "lexicon", "words"])
def test_an_index_that_lacks_papers_is_a_problem_with_the_cure(settings: Settings, filled: Library, index: str) -> None:
    lost = min(filled.store.paper_ids())
    getattr(filled, index).remove([lost])
    filled.close()
    [problem] = doctor.examine(settings).problems
    name = {"store": "vector store", "words": "word vectors"}.get(index, index)
    assert problem == f"the {name}: lacks 1 papers and has 0 too many; run paperchat doctor --repair"


def test_an_index_with_papers_of_no_catalog_is_a_problem_with_the_cure(settings: Settings, filled: Library) -> None:
    filled.lexicon.replace([Paper("0", "An abstract.")])
    [problem] = doctor.examine(settings).problems
    assert problem == "the lexicon: lacks 0 papers and has 1 too many; run paperchat doctor --repair"


def test_a_deleted_paper_that_the_indexes_still_hold_is_a_problem(settings: Settings, filled: Library) -> None:
    filled.catalog.delete([min(filled.store.paper_ids())])
    [problem] = doctor.examine(settings).problems
    assert problem == "1 deleted papers are still in the indexes: run paperchat doctor --repair"


@pytest.mark.usefixtures("filled")
def test_another_embedder_is_a_problem_with_the_cure(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder(dimension=32))
    [problem] = doctor.examine(settings).problems
    assert "dimension 64 -> 32" in problem
    assert "paperchat reindex" in problem


def test_a_model_that_is_not_to_be_had_is_a_problem(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.llms.ollama", None)
    [problem] = doctor.examine(settings.model_copy(update={"llm": "ollama/llama3.2"})).problems
    assert "pip install 'paperchat[ollama]'" in problem


def test_a_broken_library_does_not_hide_what_is_wrong_with_the_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.mkdir()
    (settings.home / "catalog.db").write_bytes(b"no database" * 100)
    monkeypatch.setitem(sys.modules, "llama_index.llms.ollama", None)
    problems = doctor.examine(settings.model_copy(update={"llm": "ollama/llama3.2"})).problems
    assert len(problems) == 2
    assert "catalog.db cannot be opened" in problems[0]
    assert "pip install 'paperchat[ollama]'" in problems[1]


def test_a_person_reads_each_problem_on_a_line_of_its_own_or_that_all_is_well(settings: Settings) -> None:
    found = doctor.examine(settings)
    assert doctor.as_text(found).splitlines()[-1] == "All is well."
    found.problems += ["one", "two"]
    assert doctor.as_text(found).splitlines()[-2:] == ["PROBLEM: one", "PROBLEM: two"]
    assert f"  {'embedder':20}{settings.embedder}" in doctor.as_text(found).splitlines()


def test_who_may_use_the_api_is_said_and_a_damaged_file_of_tokens_is_a_problem(settings: Settings) -> None:
    assert "this machine alone" in doctor.examine(settings).facts["api tokens"]
    tokens = open_tokens(settings)
    tokens.add("notebook", Role.READ)
    assert doctor.examine(settings).facts["api tokens"] == "notebook (read, every library)"
    tokens.file.write_text("nonsense")
    assert any("damaged" in problem for problem in doctor.examine(settings).problems)


def test_a_script_reads_the_facts_and_the_problems(settings: Settings) -> None:
    found = doctor.examine(settings)
    parts = [part.as_json() for part in found.parts]
    assert json.loads(json.dumps(doctor.as_json(found))) == found.facts | {"parts": parts, "notes": [], "problems": []}


PARTS = ["directory", "database", "vector store", "lexicon", "word vectors", "models"]


@pytest.mark.usefixtures("filled")
def test_every_part_is_told_with_its_state_and_the_time_of_a_read(settings: Settings) -> None:
    found = doctor.examine(settings)
    assert [(part.name, part.status) for part in found.parts] == [(name, PartStatus.OK) for name in PARTS]
    details = {part.name: part.detail for part in found.parts}
    assert details["directory"].startswith(f"{settings.home}, ")
    assert details["database"] == f"sqlite {sqlite3.sqlite_version}, {settings.home / 'catalog.db'}"
    assert "word-hash, 64 dimensions" in details["vector store"]
    assert "pair_reader" in details["models"]
    timed = [part.name for part in found.parts if part.latency_ms is not None]
    assert timed == PARTS[1:5]
    lines = doctor.as_text(found).splitlines()
    assert [line[2:].split("  ")[0] for line in lines[lines.index("parts:") + 1 :][: len(PARTS)]] == PARTS


def test_what_needs_a_part_that_cannot_be_used_is_said_to_be_unknown(settings: Settings) -> None:
    settings.home.mkdir()
    (settings.home / "catalog.db").write_bytes(b"no database" * 100)
    found = doctor.examine(settings)
    states = {part.name: part.status for part in found.parts}
    assert (states["directory"], states["database"]) == (PartStatus.OK, PartStatus.PROBLEM)
    assert {states[name] for name in PARTS[2:5]} == {PartStatus.UNKNOWN}
    assert len(found.problems) == 1


def test_a_directory_that_cannot_be_written_and_a_full_disk_are_problems_with_a_cure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    usage = shutil.disk_usage(settings.home.parent)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=10_000_000))
    part = doctor_parts.directory(settings)
    assert (part.status, part.cure) == (PartStatus.PROBLEM, "make room on this disk")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1_000_000_000))
    assert doctor_parts.directory(settings).status is PartStatus.NOTE
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    part = doctor_parts.directory(settings)
    assert (part.status, "PAPERCHAT_HOME" in part.cure) == (PartStatus.PROBLEM, True)


def test_a_server_whose_clock_differs_is_noted(
    settings: Settings, filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = doctor_parts.database(filled.catalog)
    assert here.status is PartStatus.OK
    late = DatabaseDescription("db.lab", "postgresql 17.6", time.time() - 300)
    monkeypatch.setattr(type(filled.catalog), "describe", lambda _: late)
    found = doctor.examine(settings)
    assert found.problems == []
    [note] = found.notes
    assert "differ by 300 s; let both take their time from one source" in note

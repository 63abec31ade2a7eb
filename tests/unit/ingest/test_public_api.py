"""The public `ingest`: paths as strings or Path, a library that is open or named by its settings, nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import ingest as package
from assistant import factory
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import ingest
from ingest.report import IngestReport, Progress
from tests.fakes import WordHashEmbedder

ADDED = IngestReport(records=3, added=3, indexed=3)


@pytest.mark.parametrize(
    "paths", [str, Path, lambda file: [str(file)], lambda file: [file], lambda file: (str(path) for path in [file])]
)
def test_paths_are_given_one_or_several_as_strings_or_paths(
    paths: Callable[[Path], str], library: Library, papers_file: Path
) -> None:
    assert ingest(paths(papers_file), library) == ADDED


def test_an_open_library_stays_open_and_hears_of_progress(library: Library, papers_file: Path) -> None:
    reports: list[Progress] = []
    ingest([papers_file], library, reports.append)
    assert reports[-1] == Progress("papers indexed", 3, 3)
    assert library.catalog.papers.count() == 3


def test_settings_name_the_library(settings: Settings, papers_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    assert ingest(papers_file, settings) == ADDED
    assert ingest(papers_file, settings) == IngestReport(records=3, unchanged=3)
    with closing(factory.open_library(settings)) as library:
        assert library.catalog.papers.count() == 3


def test_what_cannot_be_read_is_in_the_report(library: Library, tmp_path: Path) -> None:
    report = ingest([tmp_path / "missing.bib"], library)
    assert report.failed
    assert [problem.source for problem in report.problems] == [str(tmp_path / "missing.bib")]


def test_every_public_name_exists() -> None:
    assert package.__all__ == ["ingest"]
    assert all(hasattr(package, name) for name in package.__all__)


def test_importing_it_loads_the_standard_library_alone() -> None:
    code = "import sys; before = set(sys.modules); import ingest; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    foreign = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert foreign == {"ingest"}

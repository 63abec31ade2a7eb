"""The papers of the seeds."""

from __future__ import annotations

import pytest

from assistant import factory
from assistant.schema import Paper
from assistant.settings import load as load_settings
from ingest import pipeline
from tests.conftest import SEEDS
from tests.fakes import WordHashEmbedder


@pytest.fixture(scope="package")
def papers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Paper]:
    """The papers of the seeds, by id."""
    settings = load_settings(home=tmp_path_factory.mktemp("home"))
    library = factory.open_library(settings, WordHashEmbedder())
    pipeline.ingest([SEEDS], library)
    by_id = {paper.id: paper for paper in library.catalog.papers.all()}
    library.close()
    return by_id

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromas import ChromaProcess


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaProcess]:
    """A Chroma server of the test's own, running; it may be stopped and started."""
    running = ChromaProcess(tmp_path / "chroma")
    running.start()
    yield running
    running.stop()

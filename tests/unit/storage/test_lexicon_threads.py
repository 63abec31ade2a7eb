"""Several threads may use one lexicon at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.storage.lexicon import TantivyLexicon


class ExclusiveAnalyzer:
    """An analyzer that refuses two threads at a time, as tantivy's does where one is preempted in it."""

    def __init__(self) -> None:
        self._borrowed = False

    def analyze(self, text: str) -> list[str]:
        if self._borrowed:
            raise RuntimeError("Already borrowed")
        self._borrowed = True
        time.sleep(0.001)
        self._borrowed = False
        return text.split()


def test_threads_that_analyze_at_the_same_time_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexicon = TantivyLexicon(tmp_path)
    monkeypatch.setattr(lexicon._analyzer, "tokenizer", ExclusiveAnalyzer())
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lexicon.terms, ["bees dance"] * 64)) == [["bees", "dance"]] * 64

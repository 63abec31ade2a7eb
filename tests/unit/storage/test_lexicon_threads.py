"""Several threads may use one lexicon at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assistant.storage.lexicon import TantivyLexicon


def test_texts_are_analyzed_in_several_threads_at_a_time(tmp_path: Path) -> None:
    lexicon = TantivyLexicon(tmp_path)
    text = "bees dance on small glaciers " * 2000
    with ThreadPoolExecutor(8) as threads:
        analyzed = list(threads.map(lexicon.terms, [text] * 64))
    assert all(terms == analyzed[0] for terms in analyzed)

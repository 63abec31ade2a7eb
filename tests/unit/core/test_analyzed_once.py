"""A question is analyzed once: what it costs is counted in calls, not in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from assistant.chat import Assistant
from assistant.encodings import EncodedText, WordVectors
from assistant.retrieval import alignment
from assistant.schema import Passage, Turn
from assistant.storage import lexicon
from assistant.storage.index_ledger import IndexLedger
from assistant.text import sentences

QUESTION = "How do honey bees communicate the place of flowers by a waggle dance?"


@pytest.fixture
def calls(reader: Assistant, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what one answer reads and computes, by kind and subject."""
    counted: Counter[str] = Counter()

    def counting(kind: str, function: Callable[..., Any], subject: int) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            counted[f"{kind} {arguments[subject]}"] += 1
            return function(*arguments)

        return wrapped

    reader.library.lexicon.refresh()  # forget the document frequencies that other tests have counted
    monkeypatch.setattr(lexicon, "_document_frequency", counting("term", lexicon._document_frequency, 2))
    monkeypatch.setattr(alignment, "passages", counting("split", sentences.passages, 0))
    stamp: Any = vars(IndexLedger)["generation"]
    monkeypatch.setattr(IndexLedger, "generation", property(counting("stamp", stamp.fget, 0)))
    read_words = reader.library.words.get

    def get(paper_ids: Collection[str]) -> dict[str, WordVectors]:
        counted.update(f"words {paper_id}" for paper_id in paper_ids)
        return read_words(paper_ids)

    monkeypatch.setattr(reader.library.words, "get", get)
    encode = reader.library.embedder.encode_queries

    def encode_queries(texts: Sequence[str]) -> list[EncodedText]:
        counted.update(f"encoded {text}" for text in texts)
        return encode(texts)

    monkeypatch.setattr(reader.library.embedder, "encode_queries", encode_queries)
    return counted


def of_kind(calls: Counter[str], kind: str) -> list[int]:
    return [count for name, count in calls.items() if name.startswith(f"{kind} ")]


def test_an_answer_reads_each_thing_once(reader: Assistant, calls: Counter[str]) -> None:
    calls.clear()  # the fixture itself has looked at the library
    answer = reader.ask(QUESTION)
    assert answer.answered
    assert of_kind(calls, "stamp") == [1]
    assert of_kind(calls, "words") == [1] * len(answer.hits) == [1, 1, 1]
    assert of_kind(calls, "split") == [1] * len(answer.hits)
    assert set(of_kind(calls, "term")) == {1}
    assert of_kind(calls, "encoded") == [1]


def test_a_follow_up_and_what_it_is_compared_with_are_encoded_once(reader: Assistant, calls: Counter[str]) -> None:
    history = [Turn(QUESTION, reader.ask(QUESTION))]
    calls.clear()
    answer = reader.ask("And how long?", history)
    assert answer.standalone == f"{QUESTION} And how long?"
    texts = {QUESTION, "And how long?", answer.standalone}
    assert {name for name in calls if name.startswith("encoded ")} == {f"encoded {text}" for text in texts}
    assert set(of_kind(calls, "encoded")) == {1}


def test_a_question_asked_again_counts_no_term_again(reader: Assistant, calls: Counter[str]) -> None:
    reader.ask(QUESTION)
    calls.clear()
    reader.ask(QUESTION)
    assert of_kind(calls, "term") == []


def test_no_intermediate_value_is_public(reader: Assistant) -> None:
    result = reader.search(QUESTION)
    assert {type(passage) for hit in result.hits for passage in hit.passages} == {Passage}
    assert not {"asked", "likeness", "encoded"} & {*dir(result), *dir(result.hits[0])}

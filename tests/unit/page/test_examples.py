from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import ModelError
from assistant.settings import load
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import WordHashEmbedder, WordOverlapReader
from ui.page import examples
from ui.page.examples import ExampleQuestions

ABSTRACTS = (
    "Abstract: Honey bees communicate by a waggle dance. The waggle dance is known about.\n"
    "Abstract: Alpine glaciers lose ice. Alpine glaciers are known about.\n"
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    (tmp_path / "papers.txt").write_text(ABSTRACTS, encoding="utf-8")
    library = factory.open_library(load(home=tmp_path / "home"), WordHashEmbedder(dimension=256))
    pipeline.ingest([tmp_path / "papers.txt"], library)
    yield library
    library.close()


def assistant(library: Library, threshold: float = 0.0) -> Assistant:
    settings = load(home=library.home, firm_threshold=threshold, tentative_threshold=0.0)
    return Assistant(library, settings, WordOverlapReader())


def ready(value: Assistant) -> Future[Assistant]:
    future: Future[Assistant] = Future()
    future.set_result(value)
    return future


def settled(questions: ExampleQuestions) -> tuple[str, ...] | None:
    for _ in range(1000):
        if (found := questions.questions()) is not None:
            return found
        time.sleep(0.01)
    return None


def test_the_questions_are_about_topics_of_the_library_and_read_as_english(library: Library) -> None:
    found = examples.find_questions(assistant(library))
    assert any("waggle dance" in question for question in found)
    assert all(question.startswith("What ") and question.endswith("?") for question in found)
    assert len(found) <= 4


def test_what_is_not_answered_firmly_is_no_example(library: Library) -> None:
    assert examples.find_questions(assistant(library, threshold=1.0)) == []


def test_the_page_never_waits_for_the_questions_and_has_them_at_once_after_a_restart(library: Library) -> None:
    loading: Future[Assistant] = Future()
    file = library.home / "examples.json"
    first = ExampleQuestions(library.catalog, loading, file)
    assert first.questions() is None
    loading.set_result(assistant(library))
    found = settled(first)
    assert found
    first.close()
    again = ExampleQuestions(library.catalog, Future(), file)
    assert again.questions() == found


def test_questions_are_looked_for_again_when_papers_change(library: Library, tmp_path: Path) -> None:
    questions = ExampleQuestions(library.catalog, ready(assistant(library)), library.home / "examples.json")
    before = settled(questions)
    (tmp_path / "more.txt").write_text("Abstract: Red pandas sleep. Red pandas are known about.\n", encoding="utf-8")
    pipeline.ingest([tmp_path / "more.txt"], library)
    after = settled(questions)
    assert before is not None
    assert after is not None
    assert any("pandas" in question for question in after)
    questions.close()


def test_a_damaged_file_or_a_failing_model_leaves_the_page_without_examples(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[str]:
        raise ModelError("the model broke")

    monkeypatch.setattr(examples, "find_questions", fail)
    file = library.home / "examples.json"
    file.write_text("[1", encoding="utf-8")
    questions = ExampleQuestions(library.catalog, ready(assistant(library)), file)
    assert settled(questions) == ()
    questions.close()


def test_closing_ends_the_search(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def search(_: Assistant, is_cancelled: object) -> list[str]:
        begun.set()
        while not is_cancelled():  # type: ignore[operator]
            time.sleep(0.001)
        return ["never shown?"]

    monkeypatch.setattr(examples, "find_questions", search)
    questions = ExampleQuestions(library.catalog, ready(assistant(library)), library.home / "examples.json")
    begun.wait(5)
    questions.close()
    assert questions.questions() == ()
    assert not (library.home / "examples.json").exists()

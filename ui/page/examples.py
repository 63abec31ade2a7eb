"""Example questions for an empty conversation: about the library's own topics, and answered firmly by it.

They are found in the background once the assistant is loaded, and again when a page is opened after papers have
changed. The questions are stored beside the library, so that the next start has them at once.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.question.summary_topic import about
from assistant.question.topics import Topic, find_topics
from assistant.schema import Paper, Strength
from assistant.storage.catalog import Catalog

logger = logging.getLogger(__name__)

# Questions that are shown, and topics that are tried for them.
_SHOWN, _TRIED = 4, 16
# Papers that are read for topics: so many pages of so many papers, spread over the library.
_PAGES, _PAGE_SIZE = 10, 100
_FORMS = (about("{}"), "What do these papers say about {}?")
# Seconds that closing waits for a question that is being answered.
_CLOSING = 10.0


class ExampleQuestions:
    """Finds example questions in a thread of its own. Thread-safe."""

    def __init__(self, catalog: Catalog, assistant: Future[Assistant], file: Path) -> None:
        """Read the questions of an earlier start from the file, and begin to look once the assistant is loaded."""
        self._catalog, self._assistant, self._file = catalog, assistant, file
        self._stamp, self._questions = _read(file)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        assistant.add_done_callback(lambda _: self.questions())

    def questions(self) -> tuple[str, ...] | None:
        """Return the questions, none where nothing is answered firmly; None while they are still being looked for."""
        with self._lock:
            stamp = _stamp(self._catalog)
            if self._stamp == stamp or self._closed.is_set():
                return self._questions
            if self._thread is None and self._assistant.done():
                self._thread = threading.Thread(target=self._run, args=(stamp,), daemon=True)
                self._thread.start()
            return None

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()
        thread = self._thread
        if thread:
            thread.join(_CLOSING)

    def _run(self, stamp: str) -> None:
        questions: tuple[str, ...] = ()
        try:
            questions = tuple(find_questions(self._assistant.result(), self._closed.is_set))
        except PaperchatError as error:
            logger.warning("no example questions: %s", error)
        except Exception:  # whatever fails here must not leave the page waiting
            logger.exception("no example questions")
        with self._lock:
            self._thread = None
            if not self._closed.is_set():
                self._stamp, self._questions = stamp, questions
                _write(self._file, stamp, questions)


def find_questions(assistant: Assistant, is_cancelled: Callable[[], bool] = lambda: False) -> list[str]:
    """Return questions about topics of the library that it answers firmly, the most confident ones first.

    No language model is asked, and the work is bounded, however many papers there are.
    """
    quoting = assistant.configured(assistant.settings, None)
    topics = find_topics(_sample(assistant.library.catalog), assistant.library.lexicon, _TRIED)
    confident = sorted(_confidences(quoting, topics, is_cancelled), key=lambda scored: -scored[0])
    phrases = [phrase for _, phrase in confident[:_SHOWN]]
    return [_FORMS[number % len(_FORMS)].format(phrase) for number, phrase in enumerate(phrases)]


def _confidences(
    assistant: Assistant, topics: Sequence[Topic], is_cancelled: Callable[[], bool]
) -> Iterator[tuple[float, str]]:
    """Yield each topic about which every form of question is answered firmly, with the least confidence."""
    for topic in topics:
        if is_cancelled():
            return
        answers = [assistant.ask(form.format(topic.phrase)) for form in _FORMS]
        if all(answer.strength is Strength.FIRM for answer in answers):
            yield min(answer.confidence for answer in answers), topic.phrase


def _sample(catalog: Catalog) -> list[Paper]:
    """Return the papers of a small library, and pages of papers spread over a large one."""
    count = catalog.papers.count()
    step = max(_PAGE_SIZE, count // _PAGES)
    offsets = range(0, min(count, step * _PAGES), step)
    pages = (catalog.papers.page(offset=offset, limit=_PAGE_SIZE).papers for offset in offsets)
    return [paper for page in pages for paper in page if paper.abstract]


def _stamp(catalog: Catalog) -> str:
    return str(catalog.ledger.generation)


def _read(file: Path) -> tuple[str, tuple[str, ...]]:
    """Return the stamp and the questions of the file; none where it is missing or damaged."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        return str(stored["stamp"]), tuple(map(str, stored["questions"]))[:_SHOWN]
    except (OSError, ValueError, KeyError, TypeError):
        return "", ()


def _write(file: Path, stamp: str, questions: Sequence[str]) -> None:
    try:
        file.write_text(json.dumps({"stamp": stamp, "questions": questions}), encoding="utf-8")
    except OSError as error:  # the next start looks again
        logger.warning("example questions are not stored: %s", error)

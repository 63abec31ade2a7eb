"""The log: to standard error, from the level that the settings name; silent by default."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import TYPE_CHECKING

from assistant.schema import Answer
from assistant.text.printable import one_line

if TYPE_CHECKING:
    from assistant.settings import Settings

logger = logging.getLogger(__name__)

# Only these packages write to the log; the loggers of other libraries stay as they are.
PACKAGES = ("assistant", "ingest", "ui")
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_HANDLER = "paperchat"
_TIMINGS = ("total_ms", "retrieve_ms", "first_text_ms")


class LineFormatter(logging.Formatter):
    """Formats a record as one printable line: names of files and models are data and may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return one_line(super().format(record))


def configure(level: str | None) -> None:
    """Log to standard error from this level on; None turns the log off. May be called again."""
    handler = logging.StreamHandler()
    handler.name = _HANDLER
    handler.setFormatter(LineFormatter(_FORMAT))
    for package in map(logging.getLogger, PACKAGES):
        for earlier in [handler for handler in package.handlers if handler.name == _HANDLER]:
            package.removeHandler(earlier)
        package.setLevel(level.upper() if level else logging.NOTSET)
        if level:
            package.addHandler(handler)


class QuestionLog:
    """Logs one line when a question has been answered, or could not be: its id, outcome and timings.

    Set `answer` to the latest snapshot, and `id` once the turn is stored. The text of the question is logged only with
    the setting `log_questions`; nor is the message of an error, which may quote it.
    """

    def __init__(self, question: str, settings: Settings) -> None:
        self.id = "unsaved"
        self.answer: Answer | None = None
        self._text = f" question={question!r}" if settings.log_questions else ""

    def __enter__(self) -> QuestionLog:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        facts = {"id": self.id, "outcome": self._outcome(kind)}
        if self.answer:
            facts |= {"citations": str(len(self.answer.citations)), "model": self.answer.model}
            facts |= {name: f"{self.answer.timings[name]:.0f}" for name in _TIMINGS if name in self.answer.timings}
        facts.setdefault("total_ms", f"{1000 * (time.perf_counter() - self._started):.0f}")
        logger.info("question %s%s", " ".join(f"{name}={value}" for name, value in facts.items()), self._text)

    def _outcome(self, kind: type[BaseException] | None) -> str:
        if kind is None:
            return str(self.answer.strength) if self.answer else "unanswered"
        return "stopped" if issubclass(kind, (GeneratorExit, KeyboardInterrupt)) else f"failed:{kind.__name__}"

"""The log: to standard error, from the level that the settings name, as text or JSON; silent by default."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from assistant.schema import Answer
from assistant.text.printable import one_line
from ui.request_context import request_id

if TYPE_CHECKING:
    from assistant.settings import Settings

logger = logging.getLogger(__name__)

# Only these packages write to the log; the loggers of other libraries stay as they are, except for a server's own.
PACKAGES = ("assistant", "ingest", "ui")
_SERVER, _SERVER_PARTS = "uvicorn", ("uvicorn.error", "uvicorn.access")
TEXT, JSON = "text", "json"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_HANDLER = "paperchat"
_TIMINGS = ("total_ms", "retrieve_ms", "first_text_ms")
QuestionObserver = Callable[[str, Mapping[str, float]], None]
# A value that needs no quotes to be told from what follows it.
_PLAIN = re.compile(r"[\w.,:/{}@+*-]*")


class LineFormatter(logging.Formatter):
    """Formats a record as one printable line: names of files and models are data and may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, which ends with the id of the request, if there is one."""
        line = one_line(super().format(record))
        return f"{line} request_id={identifier}" if (identifier := request_id()) else line


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, in which every fact of an event has a key of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts: Mapping[str, Any] = getattr(record, "facts", {})
        written = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        values = {
            "time": written.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": getattr(record, "event", None) or record.getMessage(),
            "request_id": request_id() or None,
            **facts,
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        # Escapes keep the line one line of ASCII, whatever a name or a question holds.
        return json.dumps({name: value for name, value in values.items() if value is not None}, default=str)


def configure(level: str | None, form: str = TEXT) -> None:
    """Log to standard error from this level on, as `text` or `json`; None turns the log off. May be called again."""
    handler = _handler(form)
    for package in map(logging.getLogger, PACKAGES):
        for earlier in [handler for handler in package.handlers if handler.name == _HANDLER]:
            package.removeHandler(earlier)
        package.setLevel(level.upper() if level else logging.NOTSET)
        if level:
            package.addHandler(handler)


def configure_server(form: str) -> None:
    """Let the HTTP server write its warnings in the form of the log, in place of its own; there is no other log of it.

    Called after the server is made, which sets up its own log.
    """
    server = logging.getLogger(_SERVER)
    server.handlers[:] = [_handler(form)]
    server.setLevel(logging.WARNING)
    server.propagate = False
    for part in map(logging.getLogger, _SERVER_PARTS):
        part.handlers.clear()
        part.setLevel(logging.NOTSET)
        part.propagate = True


def log_event(log: logging.Logger, level: int, event: str, facts: Mapping[str, Any]) -> None:
    """Log an event with its facts: as `event name=value ...` in a text, each under its own key in JSON."""
    if log.isEnabledFor(level):
        written = " ".join(f"{name}={_written(value)}" for name, value in facts.items())
        log.log(level, "%s %s", event, written, extra={"event": event, "facts": dict(facts)})


class QuestionLog:
    """Logs one line when a question has been answered, or could not be: its id, outcome and timings.

    Set `answer` to the latest snapshot, and `id` once the turn is stored. The text of the question is logged only with
    the setting `log_questions`; nor is the message of an error, which may quote it.
    """

    def __init__(self, question: str, settings: Settings, observe: QuestionObserver | None = None) -> None:
        """`observe` gets the outcome, and the times of the stages in milliseconds."""
        self._observe = observe
        self.id = "unsaved"
        self.answer: Answer | None = None
        self._text = {"question": question} if settings.log_questions else {}

    def __enter__(self) -> QuestionLog:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome = self._outcome(kind)
        if self._observe:
            self._observe(outcome, self.answer.timings if self.answer else {})
        facts: dict[str, Any] = {"id": self.id, "outcome": outcome}
        if self.answer:
            facts |= {"citations": len(self.answer.citations), "model": self.answer.model}
            facts |= {name: round(self.answer.timings[name]) for name in _TIMINGS if name in self.answer.timings}
        facts.setdefault("total_ms", round(1000 * (time.perf_counter() - self._started)))
        log_event(logger, logging.INFO, "question", facts | self._text)

    def _outcome(self, kind: type[BaseException] | None) -> str:
        if kind is None:
            return str(self.answer.strength) if self.answer else "unanswered"
        return "stopped" if issubclass(kind, (GeneratorExit, KeyboardInterrupt)) else f"failed:{kind.__name__}"


def _handler(form: str) -> logging.Handler:
    handler = logging.StreamHandler()
    handler.name = _HANDLER
    handler.setFormatter(JsonFormatter() if form == JSON else LineFormatter(_FORMAT))
    return handler


def _written(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text)

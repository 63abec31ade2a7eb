"""Add papers while the page is open, and render the progress and the report."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from assistant.errors import PaperchatError
from assistant.schema import Record
from assistant.settings import Settings
from assistant.storage.library import Library
from assistant.text.printable import one_line
from ingest import adding, pipeline
from ingest.maintenance import repair
from ingest.parsers.base import Problem
from ingest.report import IngestReport, Progress, ProgressCallback
from ingest.zotero import sync
from ui.cli.terminal import counted
from ui.page import render

_MAX_LISTED_PROBLEMS = 100


def add_papers(open_library: Callable[[], Library], paths: Sequence[Path]) -> Iterator[str]:
    """Add the papers of files; yield the progress as HTML, then the report or the error."""
    return _run("Reading ...", lambda progress: report_html(pipeline.ingest(paths, open_library(), progress)))


def add_zotero(open_library: Callable[[], Library], settings: Settings) -> Iterator[str]:
    """Bring the library in line with Zotero on this machine; yield the progress as HTML, then the report or error."""
    return _run(
        "Reading Zotero ...",
        lambda progress: report_html(sync.add_zotero(sync.PREFIX, settings, open_library(), progress)),
    )


def add_fetched(open_library: Callable[[], Library], fetch: Callable[[], Iterable[Record | Problem]]) -> Iterator[str]:
    """Fetch records, then add their papers; yield the progress as HTML, then the report or the error."""

    def work(progress: ProgressCallback) -> str:
        items = list(fetch())  # completely, before the library is locked
        return report_html(adding.add_fetched(items, open_library(), progress))

    return _run("Fetching ...", work)


def reindex(open_library: Callable[[], Library]) -> Iterator[str]:
    """Index every paper of the library again; yield the progress as HTML, then the result or the error."""

    def work(progress: ProgressCallback) -> str:
        count = repair.reindex(open_library(), progress)
        return f'<div class="report"><p>{counted(count, "paper")} indexed again.</p></div>'

    return _run("Looking at the indexes ...", work)


def _run(heading: str, work: Callable[[ProgressCallback], str]) -> Iterator[str]:
    updates: queue.Queue[str | None] = queue.Queue()

    def run() -> None:
        try:
            estimate = _TimeEstimate()
            updates.put(work(lambda progress: updates.put(_progress_html(progress, estimate.remaining(progress)))))
        except PaperchatError as error:
            updates.put(render.error_html(str(error)))
        finally:
            updates.put(None)

    yield f'<p class="waiting">{heading}</p>'
    # In a thread, because closing the page does not stop the work: what was begun is finished.
    threading.Thread(target=run, daemon=True).start()
    while (update := updates.get()) is not None:
        yield update


def report_html(report: IngestReport) -> str:
    """Return how many records were added, merged or skipped, and the problems."""
    counts = ", ".join(f"{count:,} {name}" for name, count in _counts(report) if count) or "nothing to add"
    problems = [f"<li>{escape(one_line(str(problem)))}</li>" for problem in report.problems[:_MAX_LISTED_PROBLEMS]]
    unlisted = len(report.problems) - len(problems)
    problems += [f"<li>and {unlisted:,} more</li>"] if unlisted else []
    heading = counted(len(report.problems), "problem")
    listed = f'<p>{heading}:</p><ul class="problems" tabindex="0">{"".join(problems)}</ul>' if problems else ""
    return f'<div class="report"><p>{counted(report.records, "record")} read: {counts}.</p>{listed}</div>'


def _counts(report: IngestReport) -> list[tuple[str, int]]:
    names = ("added", "updated", "merged", "unchanged", "without_abstract", "skipped", "removed")
    return [(name.replace("_", " "), getattr(report, name)) for name in names]


class _TimeEstimate:
    """Estimates the remaining time from the pace since the first report of the same kind."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, int]] = {}

    def remaining(self, progress: Progress) -> str:
        """Return the remaining time in words, empty while it is unknown."""
        now = time.monotonic()
        started, done_before = self._first.setdefault(progress.activity, (now, progress.done))
        if progress.total is None or progress.done <= done_before:
            return ""
        seconds = (now - started) * (progress.total - progress.done) / (progress.done - done_before)
        return f", about {counted(round(seconds / 60), 'minute')} left" if seconds >= 60 else ", under a minute left"


def _progress_html(progress: Progress, remaining: str) -> str:
    if progress.total is None:
        return f'<p class="waiting">{progress.done:,} {progress.activity}</p>'
    label = f"{progress.done:,} of {progress.total:,} {progress.activity}{remaining}"
    bar = f'<progress max="{progress.total}" value="{progress.done}" aria-label="{label}"></progress>'
    return f'<p class="waiting">{label} {bar}</p>'

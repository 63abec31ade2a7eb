"""Papers read while the page is open, with what is being done and what came of it as HTML."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from assistant.errors import PaperchatError
from assistant.storage.library import Library
from assistant.text.printable import one_line
from ingest import pipeline
from ingest.maintenance import repair
from ingest.report import IngestReport, Progress, ProgressCallback
from ui.cli.terminal import counted
from ui.page import render

SEEDS = Path(__file__).parents[2] / "seeds"
_MOST_TOLD = 100


def add(open_library: Callable[[], Library], paths: Sequence[Path]) -> Iterator[str]:
    """What is being done, again and again until it is done; then the report, or why there is none."""
    return _news("Reading ...", lambda progress: report_html(pipeline.ingest(paths, open_library(), progress)))


def index_again(open_library: Callable[[], Library]) -> Iterator[str]:
    """The same of reading anew every paper that the library has."""

    def work(progress: ProgressCallback) -> str:
        done = repair.reindex(open_library(), progress)
        return f'<div class="report"><p>{counted(done, "paper")} indexed again.</p></div>'

    return _news("Looking at the indexes ...", work)


def _news(beginning: str, work: Callable[[ProgressCallback], str]) -> Iterator[str]:
    told: queue.Queue[str | None] = queue.Queue()

    def tell() -> None:
        try:
            pace = _Pace()
            told.put(work(lambda step: told.put(_progress(step, pace.left(step)))))
        except PaperchatError as error:
            told.put(render.error_html(str(error)))
        finally:
            told.put(None)

    yield f'<p class="waiting">{beginning}</p>'
    # A daemon, because whoever closes the page does not stop it: what was begun is finished.
    threading.Thread(target=tell, daemon=True).start()
    while (news := told.get()) is not None:
        yield news


def report_html(report: IngestReport) -> str:
    """What became of each record."""
    said = ", ".join(f"{count:,} {name}" for name, count in _counts(report) if count) or "nothing to add"
    problems = [f"<li>{escape(one_line(str(each)))}</li>" for each in report.problems[:_MOST_TOLD]]
    more = len(report.problems) - _MOST_TOLD
    problems += [f"<li>and {more:,} more</li>"] if more > 0 else []
    count = counted(len(report.problems), "problem")
    listed = f'<p>{count}:</p><ul class="problems" tabindex="0">{"".join(problems)}</ul>' if problems else ""
    return f'<div class="report"><p>{counted(report.records, "record")} read: {said}.</p>{listed}</div>'


def _counts(report: IngestReport) -> list[tuple[str, int]]:
    names = ("added", "updated", "merged", "unchanged", "without_abstract", "skipped")
    return [(name.replace("_", " "), getattr(report, name)) for name in names]


class _Pace:
    """How long it takes until everything is done, if it goes on as it has gone since the first report."""

    def __init__(self) -> None:
        self._began: dict[str, tuple[float, int]] = {}

    def left(self, step: Progress) -> str:
        """A few words, or nothing where it is not known yet."""
        now = time.monotonic()
        began, before = self._began.setdefault(step.activity, (now, step.done))
        if step.total is None or step.done <= before:
            return ""
        seconds = (now - began) * (step.total - step.done) / (step.done - before)
        return f", about {counted(round(seconds / 60), 'minute')} left" if seconds >= 60 else ", under a minute left"


def _progress(step: Progress, left: str) -> str:
    if step.total is None:
        return f'<p class="waiting">{step.done:,} {step.activity}</p>'
    label = f"{step.done:,} of {step.total:,} {step.activity}{left}"
    bar = f'<progress max="{step.total}" value="{step.done}" aria-label="{label}"></progress>'
    return f'<p class="waiting">{label} {bar}</p>'

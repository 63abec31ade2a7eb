"""Papers added while the page is open: files to the library, with what is being done and what came of it as HTML."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from assistant.errors import PaperchatError
from assistant.library import Library
from ingest import pipeline
from ingest.pipeline import Report
from ui.terminal import counted, one_line

SEEDS = Path(__file__).parents[2] / "seeds"
_MOST_TOLD = 100


def add(library: Library, paths: Sequence[Path]) -> Iterator[str]:
    """What is being done, again and again until it is done; then the report, or why there is none."""
    told: queue.Queue[str | None] = queue.Queue()

    def work() -> None:
        try:
            told.put(report_html(pipeline.ingest(paths, library, lambda *done: told.put(_progress(*done)))))
        except PaperchatError as error:
            told.put(f'<div class="error"><p>{escape(str(error))}</p></div>')
        finally:
            told.put(None)

    yield '<p class="waiting">Reading ...</p>'
    # A daemon, because whoever closes the page does not stop it: what was begun is finished.
    threading.Thread(target=work, daemon=True).start()
    while (news := told.get()) is not None:
        yield news


def report_html(report: Report) -> str:
    """What became of each record."""
    said = ", ".join(f"{count:,} {name}" for name, count in _counts(report) if count) or "nothing to add"
    problems = [f"<li>{escape(one_line(str(each)))}</li>" for each in report.problems[:_MOST_TOLD]]
    more = len(report.problems) - _MOST_TOLD
    problems += [f"<li>and {more:,} more</li>"] if more > 0 else []
    count = counted(len(report.problems), "problem")
    listed = f'<p>{count}:</p><ul class="problems" tabindex="0">{"".join(problems)}</ul>' if problems else ""
    return f'<div class="report"><p>{counted(report.records, "record")} read: {said}.</p>{listed}</div>'


def _counts(report: Report) -> list[tuple[str, int]]:
    names = ("added", "updated", "merged", "unchanged", "without_abstract", "skipped")
    return [(name.replace("_", " "), getattr(report, name)) for name in names]


def _progress(done: int, total: int) -> str:
    label = f"{done:,} of {counted(total, 'paper')} indexed"
    return f'<p class="waiting">{label} <progress max="{total}" value="{done}" aria-label="{label}"></progress></p>'

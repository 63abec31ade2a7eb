"""Show progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars
from rich.text import Text

from ingest.report import Progress, ProgressCallback


class _RateColumn(ProgressColumn):
    """The number of items per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.1f} a second" if task.speed else "")


@contextmanager
def progress_bar(description: str = "Reading") -> Iterator[ProgressCallback | None]:
    """Yield a callback that shows a progress bar with rate and remaining time on standard error.

    Yield None if standard error is not a terminal. The description is shown until the first progress report.
    """
    if not sys.stderr.isatty():
        yield None
        return
    numbers = BarColumn(), MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn()
    with ProgressBars(TextColumn("{task.description}"), *numbers, console=Console(stderr=True)) as bars:
        bar = bars.add_task(description, total=None)

        def show(progress: Progress) -> None:
            if bars.tasks[0].description != progress.activity:
                bars.reset(bar, description=progress.activity)  # otherwise the rate would include the last activity
            bars.update(bar, completed=progress.done, total=progress.total)

        yield show

"""A progress bar on standard error, for whoever waits at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from ingest.pipeline import Progress, Step


class _Rate(ProgressColumn):
    """How many in a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.1f} a second" if task.speed else "")


@contextmanager
def progress_bar(beginning: str = "Reading") -> Iterator[Progress | None]:
    """Something to report progress to, which shows rate and time left; None where standard error is no terminal.

    Until the first report it shows what is begun.
    """
    if not sys.stderr.isatty():
        yield None
        return
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()]
    with Bars(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(beginning, total=None)

        def show(step: Step) -> None:
            if bars.tasks[0].description != step.what:
                bars.reset(bar, description=step.what)  # or the rate would be that of what went before
            bars.update(bar, completed=step.done, total=step.total)

        yield show

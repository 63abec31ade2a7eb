"""Execute a run: put every item of its suites to the assistant and store each record as soon as it is done."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from assistant.chat import Assistant
from assistant.settings import Settings
from eval import corpora
from eval.runs import environment, judge, runner, storage
from eval.runs.records import Record
from eval.suites import selection
from eval.suites.selection import Item, Suite
from ingest.progress import progress_bar
from ingest.report import Progress


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Which questions a run asks: suites by name or folder, optionally one split and `limit` items of each suite.

    Without `answers` the library is only searched and no claim is verified. `judge` names a language model that scores
    each answer `votes` times.
    """

    suites: tuple[str, ...] = ()
    split: str | None = None
    limit: int | None = None
    answers: bool = True
    judge: str | None = None
    votes: int = 1


def run(
    settings: Settings,
    options: RunOptions,
    name: str | None = None,
    workers: int = 1,
    prices: tuple[float, float] | None = None,
) -> storage.Run:
    """Ask all questions and store the records under this name, or one generated from the time; resume a stored run.

    `workers` questions are asked concurrently, which helps if a remote model answers. `prices` are money for a million
    tokens in and out. Raises InputError for invalid suites and for a name that belongs to a different run.
    """
    suites = selection.read(options.suites, options.split, options.limit)
    suites = suites if options.answers else selection.without_claims(suites)
    return run_suites(settings, suites, options, name, workers, prices)


def run_suites(
    settings: Settings,
    suites: Sequence[Suite],
    options: RunOptions,
    name: str | None = None,
    workers: int = 1,
    prices: tuple[float, float] | None = None,
) -> storage.Run:
    """Run suites that are already loaded, otherwise as `run` does. Raises InputError."""
    name = name or storage.new_name()
    storage.run_folder(settings.home, name)  # refuse an invalid name before anything is indexed
    llm_judge = judge.open_judge(options.judge, options.votes, settings)
    with corpora.opened(settings, suites) as assistants:
        description = _describe(settings, suites, options, name, prices, assistants)
        with storage.recording(settings.home, description) as (stored, append):
            done = {(record.suite, record.id) for record in stored.records}
            for suite in suites:
                pending = [item for item in suite.items if not _is_done(item, suite.name, done)]
                run_item = _item_runner(suite, assistants[suite.library], options, llm_judge)
                batches = _run_all(pending, run_item, workers)
                for records in _with_progress(batches, f"Asking {suite.name}", len(pending)):
                    append(records)
    return storage.finish(settings.home, name, _peak_memory())


def _describe(
    settings: Settings,
    suites: Sequence[Suite],
    options: RunOptions,
    name: str,
    prices: tuple[float, float] | None,
    assistants: dict[str, Assistant],
) -> storage.RunDescription:
    return storage.RunDescription(
        name=name,
        options=asdict(options),
        settings=settings.model_dump(mode="json", exclude={"home", "port", "log", "log_questions"}),
        items={suite.name: sum(len(selection.record_ids(item)) for item in suite.items) for suite in suites},
        contents={suite.name: selection.digest(suite) for suite in suites},
        recipes={library: asdict(assistant.library.recipe) for library, assistant in assistants.items()},
        versions=environment.versions(),
        commit=environment.commit(),
        started=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        prices=prices,
    )


def _is_done(item: Item, suite: str, done: set[tuple[str, str]]) -> bool:
    return all((suite, record_id) in done for record_id in selection.record_ids(item))


def _item_runner(
    suite: Suite, assistant: Assistant, options: RunOptions, llm_judge: judge.LLMJudge | None
) -> Callable[[Item], list[Record]]:
    def run_item(item: Item) -> list[Record]:
        records = runner.run_item(item, suite.name, assistant, options.answers)
        return [llm_judge.score(record) for record in records] if llm_judge else records

    return run_item


def _run_all(items: Sequence[Item], run_item: Callable[[Item], list[Record]], workers: int) -> Iterator[list[Record]]:
    """Yield the records of each item as soon as it is done."""
    if workers == 1:
        yield from map(run_item, items)
        return
    with ThreadPoolExecutor(workers) as threads:
        try:
            for done in as_completed([threads.submit(run_item, item) for item in items]):
                yield done.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _with_progress(batches: Iterable[list[Record]], label: str, total: int) -> Iterator[list[Record]]:
    """Yield the batches and show a progress bar on a terminal."""
    with progress_bar(label) as progress:
        for done, records in enumerate(batches, start=1):
            if progress:
                progress(Progress(label, done, total))
            yield records


def _peak_memory() -> float:
    """Return the peak memory of this process in megabytes; macOS reports bytes, Linux kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)

"""A run: every item of its suites put to the assistant, each taken down as soon as it is done."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from assistant.chat import Assistant
from assistant.settings import Settings
from eval import corpora, judge, runner, runs
from eval.records import Record
from eval.suites import selection
from eval.suites.selection import Exam, Item
from ingest.progress import progress_bar
from ingest.report import Progress

Reply = Callable[[Item], list[Record]]


@dataclass(frozen=True, slots=True)
class Asks:
    """What a run asks: `suites` by name or folder, and of these one `split`, and `limit` items of each, if given.

    Without `answers` the library is only searched, and no claim is checked. `judge` is a language model that scores
    answers, `votes` times.
    """

    suites: tuple[str, ...] = ()
    split: str | None = None
    limit: int | None = None
    answers: bool = True
    judge: str | None = None
    votes: int = 1


def run(
    settings: Settings,
    asks: Asks,
    name: str | None = None,
    workers: int = 1,
    prices: tuple[float, float] | None = None,
) -> runs.Run:
    """Ask everything and store it as a run of this name, or of one made from the time; go on if it was begun before.

    `workers` questions are asked at a time, which pays where a remote model answers. `prices` are money for a million
    tokens in and out. Raises InputError for suites that are wrong and a name that has other contents.
    """
    suites = selection.read(asks.suites, asks.split, asks.limit)
    suites = suites if asks.answers else selection.without_claims(suites)
    return take(settings, suites, asks, name, workers, prices)


def take(
    settings: Settings,
    suites: Sequence[Exam],
    asks: Asks,
    name: str | None = None,
    workers: int = 1,
    prices: tuple[float, float] | None = None,
) -> runs.Run:
    """As `run`, with the suites at hand. Raises InputError."""
    name = name or runs.new_name()
    runs.folder(settings.home, name)  # a name that will not do is told before anything is indexed
    scorer = judge.open_judge(asks.judge, asks.votes, settings)
    with corpora.opened(settings, suites) as assistants:
        about = _about(settings, suites, asks, name, prices, assistants)
        with runs.recording(settings.home, about) as (begun, store):
            done = {(record.suite, record.id) for record in begun.records}
            for suite in suites:
                todo = [item for item in suite.items if not _is_done(item, suite.name, done)]
                replies = _replies(todo, _reply(suite, assistants[suite.library], asks, scorer), workers)
                for each in _shown(replies, f"Asking {suite.name}", len(todo)):
                    store(each)
    return runs.finish(settings.home, about.name, _peak_memory())


def _about(
    settings: Settings,
    suites: Sequence[Exam],
    asks: Asks,
    name: str,
    prices: tuple[float, float] | None,
    assistants: dict[str, Assistant],
) -> runs.About:
    return runs.About(
        name=name,
        asks=asdict(asks),
        settings=settings.model_dump(mode="json", exclude={"home", "port", "log", "log_questions"}),
        items={suite.name: sum(len(selection.record_ids(item)) for item in suite.items) for suite in suites},
        contents={suite.name: selection.digest(suite) for suite in suites},
        recipes={library: asdict(assistant.library.recipe) for library, assistant in assistants.items()},
        versions=runs.versions(),
        commit=runs.commit(),
        started=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        prices=prices,
    )


def _is_done(item: Item, suite: str, done: set[tuple[str, str]]) -> bool:
    return all((suite, each) in done for each in selection.record_ids(item))


def _reply(suite: Exam, assistant: Assistant, asks: Asks, scorer: judge.Judge | None) -> Reply:
    def reply(item: Item) -> list[Record]:
        found = runner.put(item, suite.name, assistant, asks.answers)
        return [scorer.judged(record) for record in found] if scorer else found

    return reply


def _replies(items: Sequence[Item], reply: Reply, workers: int) -> Iterator[list[Record]]:
    """Each item's records, as they come."""
    if workers == 1:
        yield from map(reply, items)
        return
    with ThreadPoolExecutor(workers) as threads:
        try:
            for done in as_completed([threads.submit(reply, item) for item in items]):
                yield done.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _shown(found: Iterable[list[Record]], what: str, total: int) -> Iterator[list[Record]]:
    """The same, behind a progress bar on a terminal."""
    with progress_bar(what) as progress:
        for done, each in enumerate(found, start=1):
            if progress:
                progress(Progress(what, done, total))
            yield each


def _peak_memory() -> float:
    """The most memory that this process held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)

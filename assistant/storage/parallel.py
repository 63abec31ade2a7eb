"""Run calls in the threads of a pool, such as the requests of one search to several collections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

Result = TypeVar("Result")


def run_all(pool: ThreadPoolExecutor, calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Return the results of the calls in their order; a single call needs no thread.

    The first error is raised, once no call is running any more: those that have not begun are dropped.
    """
    if len(calls) == 1:
        return [calls[0]()]
    futures = [pool.submit(call) for call in calls]
    try:
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        if failed := next((future for future in done if future.exception()), None):
            failed.result()
        return [future.result() for future in futures]
    finally:  # also where the user has interrupted the wait
        for future in futures:
            future.cancel()
        wait(futures)

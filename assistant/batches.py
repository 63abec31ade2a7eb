"""Split values into batches. `itertools.batched` needs Python 3.12."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")


def batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    """Yield the values in lists of `size`; the last list may be shorter. Values are read only as they are needed."""
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch

"""Batches: everything once, in order, and no value read before its batch is asked for."""

from __future__ import annotations

from itertools import count

import pytest

from assistant.batches import batches


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], []), ([1], [[1]]), ([1, 2, 3], [[1, 2, 3]]), ([1, 2, 3, 4, 5, 6, 7], [[1, 2, 3], [4, 5, 6], [7]])],
)
def test_values_come_in_batches_of_the_size_in_their_order(values: list[int], expected: list[list[int]]) -> None:
    assert list(batches(values, 3)) == expected
    assert list(batches(dict.fromkeys(values), 3)) == expected


def test_values_are_read_as_they_are_needed() -> None:
    endless = batches(count(), 2)
    assert [next(endless), next(endless)] == [[0, 1], [2, 3]]

from __future__ import annotations

import pytest

from ui.page.rate_limit import LoginRateLimiter


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_few_tries_are_free_and_each_one_more_costs_twice_the_wait(clock: Clock) -> None:
    limiter = LoginRateLimiter(3, clock)
    assert [limiter.allow("ann") for _ in range(4)] == [True, True, True, False]
    for wait in (1, 2, 4, 8):
        clock.now += wait - 0.01
        assert not limiter.allow("ann")
        clock.now += 0.01
        assert limiter.allow("ann")
    assert not limiter.allow("ann")


def test_no_wait_is_longer_than_a_quarter_of_an_hour(clock: Clock) -> None:
    limiter = LoginRateLimiter(1, clock)
    for _ in range(2000):
        assert limiter.allow("ann")
        clock.now += 900


def test_one_who_waits_holds_up_nobody_else(clock: Clock) -> None:
    limiter = LoginRateLimiter(1, clock)
    assert [limiter.allow(who) for who in ("ann", "ann", "bob")] == [True, False, True]


def test_whoever_was_right_begins_anew(clock: Clock) -> None:
    limiter = LoginRateLimiter(2, clock)
    for _ in range(10):
        assert limiter.allow("ann")
        limiter.reset("ann")


def test_failures_are_forgotten_after_an_hour_and_names_without_end_fill_no_memory(clock: Clock) -> None:
    limiter = LoginRateLimiter(1, clock)
    for number in range(20_000):
        limiter.allow(f"name {number}")
    assert len(limiter._failures) <= 10_000
    clock.now += 3601
    limiter.allow("ann")
    assert list(limiter._failures) == ["ann"]

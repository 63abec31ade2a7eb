"""Repeating a request while it fails for a while; no test waits."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from assistant.retry import Backoff, retry_after, retrying


class Busy(Exception):
    """A failure that passes; `seconds` is the pause that the server asks for."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds


class Flaky:
    """A request that fails with these errors, one an attempt, and then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors, self.attempts = list(errors), 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def is_busy(error: BaseException) -> bool:
    return isinstance(error, Busy)


def repeat(request: Flaky, backoff: Backoff) -> list[float]:
    """The pauses between the attempts of a request."""
    pauses: list[float] = []
    retrying(backoff, is_busy, lambda error: getattr(error, "seconds", 0.0), pauses.append)(request)
    return pauses


def test_the_pauses_double() -> None:
    assert repeat(Flaky(Busy(), Busy(), Busy()), Backoff(4, 0.5)) == [0.5, 1, 2]


def test_a_request_that_succeeds_is_made_once() -> None:
    assert repeat(request := Flaky(), Backoff(4, 0.5)) == []
    assert request.attempts == 1


def test_the_last_error_is_raised_after_the_last_attempt() -> None:
    request = Flaky(*(Busy(number) for number in range(9)))
    with pytest.raises(Busy) as raised:
        repeat(request, Backoff(3, 0.5))
    assert (raised.value.seconds, request.attempts) == (2, 3)


def test_an_error_that_does_not_pass_is_raised_at_once() -> None:
    request = Flaky(Busy(), KeyError("unknown"))
    with pytest.raises(KeyError, match="unknown"):
        repeat(request, Backoff(9, 0.5))
    assert request.attempts == 2


def test_a_longer_pause_that_the_server_asks_for_is_kept_and_a_shorter_one_is_not() -> None:
    assert repeat(Flaky(Busy(7), Busy(0.1)), Backoff(3, 0.5)) == [7, 1]


def test_no_attempt_begins_after_the_deadline() -> None:
    request = Flaky(Busy(), Busy(30))
    with pytest.raises(Busy):
        repeat(request, Backoff(9, 0.5, deadline=20))
    assert request.attempts == 2


def test_jitter_spreads_the_pauses_by_its_share() -> None:
    pauses = [repeat(Flaky(Busy()), Backoff(2, 10, jitter=0.2))[0] for _ in range(50)]
    assert all(8 <= pause <= 12 for pause in pauses)
    assert len(set(pauses)) > 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (" 1.5 ", 1.5), ("0", 0), ("-3", 0), ("soon", 0), ("", 0), ("nan", 0), ("٣", 0)]
)
def test_retry_after_may_be_a_number_of_seconds(header: str, seconds: float) -> None:
    assert retry_after(header) == seconds


def test_retry_after_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert math.isclose(retry_after(format_datetime(later, usegmt=True)), 120, abs_tol=5)
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2015 07:28:00") == 0, "a date without its zone"

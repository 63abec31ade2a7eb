"""The time that a question names is read as days of the calendar, and never lies in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from assistant.question.time_range import TimeRange, time_range, without_time, written_day

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=timezone(timedelta(hours=2)))  # a Friday


def days(text: str) -> tuple[str, str] | None:
    """Return the first and the last day of a time."""
    named = time_range(text, NOW)
    return (f"{named.start:%m-%d}", f"{named.end - timedelta(seconds=1):%m-%d}") if named else None


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("what did I add today?", "11-27", "11-27"),
        ("what did I add yesterday", "11-26", "11-26"),
        ("WHAT DID I ADD LAST WEEK", "11-16", "11-22"),
        ("show my uploads from last week", "11-16", "11-22"),
        ("what was added this week", "11-23", "11-27"),
        ("papers I imported last month", "10-01", "10-31"),
        ("which papers did I add in march", "03-01", "03-31"),
        ("which papers did I add in February", "02-01", "02-28"),
        ("what did I add this year", "01-01", "11-27"),
        ("papers added on 3 June", "06-03", "06-03"),
        ("what did I add two days ago", "11-25", "11-25"),
        ("papers added between 1 May and 3 June", "05-01", "06-03"),
    ],
)
def test_a_day_week_month_or_year_counts_as_a_whole(text: str, first: str, last: str) -> None:
    assert days(text) == (first, last)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("what was added since monday", "11-23"),
        ("papers added since 2026-05-01", "05-01"),
        ("which papers were added in the last 7 days", "11-20"),
        ("everything added within 3 days", "11-24"),
    ],
)
def test_a_time_since_which_something_was_added_lasts_until_now(text: str, first: str) -> None:
    named = time_range(text, NOW)
    assert named
    assert (f"{named.start:%m-%d}", named.end) == (first, NOW)


@pytest.mark.parametrize("text", ["", "what was added last", "what are the last five things I imported", "what's new?"])
def test_a_question_that_names_no_time_has_none(text: str) -> None:
    assert time_range(text, NOW) is None


def test_days_are_those_of_whoever_asks() -> None:
    named = time_range("yesterday", NOW)
    assert named
    assert named.start.astimezone(UTC) == datetime(2026, 11, 25, 22, 0, tzinfo=UTC)


def test_a_time_is_told_in_words() -> None:
    day = datetime(2026, 6, 3, tzinfo=UTC)
    assert str(TimeRange(day, day + timedelta(days=1))) == "on 3 June 2026"
    assert str(TimeRange(day, day + timedelta(days=7))) == "from 3 June 2026 to 9 June 2026"
    assert written_day(day) == "3 June 2026"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("RLHF today", "RLHF"),
        ("RLHF last week", "RLHF"),
        ("ice since monday", "ice"),
        ("today", ""),
        ("bees", "bees"),
        ("", ""),
    ],
)
def test_a_topic_keeps_its_words_without_those_for_a_time(text: str, rest: str) -> None:
    assert without_time(text) == rest

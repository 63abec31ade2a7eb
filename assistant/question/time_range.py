"""Read the time that a question names: "last week", "since Monday", "in the last 7 days", "on 3 June"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

# Words directly before a date from which on everything counts, up to now.
_FROM_ON = re.compile(r"\b(?:since|after|last|past|within)\s*$", re.IGNORECASE)
_ENGLISH = ["en"]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The time from `start` up to `end`, which is no longer in it; both have a time zone."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Return the days in words."""
        first, last = written_day(self.start), written_day(self.end - timedelta(seconds=1))
        return f"on {first}" if first == last else f"from {first} to {last}"


def time_range(text: str, now: datetime) -> TimeRange | None:
    """Return the time that a text names, as far as it is past; None where it names none.

    A day, week (from Monday), month or year counts as a whole. `now` has the time zone of whoever asks.
    """
    settings = {"RELATIVE_BASE": now.replace(tzinfo=None), "PREFER_DATES_FROM": "past"}
    phrases = _phrases(text, settings)
    ranges = [_period(phrase, settings).between(now) for phrase in phrases]
    if not ranges:
        return None
    start, end = min(named.start for named in ranges), max(named.end for named in ranges)
    is_open = len(phrases) == 1 and _FROM_ON.search(text[: text.find(phrases[0])])
    return TimeRange(start, now) if is_open else TimeRange(start, min(end, now))


def without_time(text: str) -> str:
    """Return a text without the words by which it names a time."""
    for phrase in _phrases(text, {"PREFER_DATES_FROM": "past"}):
        before, _, after = text.partition(phrase)
        text = f"{_FROM_ON.sub('', before)}{after}"
    return " ".join(text.split())


def written_day(moment: datetime) -> str:
    """Return a day in words: "3 June 2026"."""
    return f"{moment.day} {moment:%B %Y}"


@dataclass(frozen=True, slots=True)
class _Period:
    """A day, or the week, month or year of a day."""

    day: datetime
    name: str

    def between(self, now: datetime) -> TimeRange:
        """Return the period from its first day to the day after its last one, in the time zone of `now`."""
        day = self.day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=now.tzinfo)
        if self.name == "week":
            start = day - timedelta(days=day.weekday())
            return TimeRange(start, start + timedelta(days=7))
        if self.name == "month":
            start = day.replace(day=1)
            return TimeRange(start, (start + timedelta(days=32)).replace(day=1))
        if self.name == "year":
            start = day.replace(month=1, day=1)
            return TimeRange(start, start.replace(year=start.year + 1))
        return TimeRange(day, day + timedelta(days=1))


def _phrases(text: str, settings: dict[str, object]) -> list[str]:
    """Return the words for times in a text, in order."""
    from dateparser.search import search_dates

    return [phrase for phrase, _ in search_dates(text, languages=_ENGLISH, settings=settings) or []]


def _period(phrase: str, settings: dict[str, object]) -> _Period:
    from dateparser.date import DateDataParser

    data = DateDataParser(languages=_ENGLISH, settings=settings).get_date_data(phrase)
    return _Period(data.date_obj, str(data.period))

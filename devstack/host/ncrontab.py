"""Timer schedules: NCRONTAB expressions (UTC) and TimeSpans."""

import re
from datetime import datetime, timedelta
from typing import Protocol

from croniter import CroniterBadDateError, croniter  # type: ignore[import-untyped]  # ships no types

from devstack.host.errors import SettingError
from devstack.host.timespans import is_timespan, parse_timespan

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# Name, least and greatest value, names of the values. NCRONTAB knows no 7, L, # or ?, which croniter takes.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_ITEM = re.compile(r"(?:\*|(?P<start>\w+)(?:-(?P<end>\w+))?)(?:/(?P<step>\d+))?")


class Schedule(Protocol):
    """When a timer runs."""

    def next_after(self, when: datetime) -> datetime:
        """The first occurrence later than `when` (UTC)."""


class Interval:
    """Runs a fixed time after the last run."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval

    def next_after(self, when: datetime) -> datetime:
        """One interval later."""
        return when + self._interval


class Cron:
    """An NCRONTAB expression of six fields, or five without seconds; both day fields must match."""

    def __init__(self, expression: str) -> None:
        """Raises SettingError for what NCRONTAB refuses, and for dates that never come."""
        self._expression = expression
        fields = expression.split()
        if len(fields) not in {5, 6}:
            raise SettingError(f"schedule {expression!r} must have six fields, seconds first")
        expanded = (
            _expand(text, *field) for text, field in zip(fields, _FIELDS[-len(fields) :], strict=True)
        )
        self._expanded = " ".join(expanded)

    def next_after(self, when: datetime) -> datetime:
        """The first whole second later than `when` that matches; raises SettingError when none ever does."""
        try:
            cron = croniter(self._expanded, when, day_or=False, second_at_beginning=True)
            found: datetime = cron.get_next(datetime)
        except CroniterBadDateError as error:
            raise SettingError(f"schedule {self._expression!r} never comes") from error
        return found


def parse_schedule(text: str) -> Schedule:
    """The schedule of a timer trigger; raises SettingError."""
    if is_timespan(text):
        interval = parse_timespan(text)
        if not interval:
            raise SettingError(f"schedule {text!r} is no time at all")
        return Interval(interval)
    return Cron(text)


def _expand(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> str:
    """The field as a list of numbers, or `*`: croniter reads some ranges otherwise than they are meant."""
    values: set[int] = set()
    for item in text.split(","):
        values.update(_item_values(item, name, least, most, names))
    everything = len(values) == most - least + 1
    return "*" if everything else ",".join(map(str, sorted(values)))


def _item_values(item: str, name: str, least: int, most: int, names: tuple[str, ...]) -> range:
    match = _ITEM.fullmatch(item)
    if match is None or match["step"] == "0":
        raise SettingError(f"{item!r} is no {name} that NCRONTAB knows")
    start, end = least, most
    if match["start"]:
        start = _value(match["start"], name, least, most, names)
        end = (
            _value(match["end"], name, least, most, names)
            if match["end"]
            else most
            if match["step"]
            else start
        )
    if end < start:
        raise SettingError(f"{item!r} is no {name} that NCRONTAB knows: the range runs backwards")
    return range(start, end + 1, int(match["step"] or 1))


def _value(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + least
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise SettingError(f"{text!r} is no {name} that NCRONTAB knows ({least} to {most})")

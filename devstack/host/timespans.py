"""TimeSpan values as .NET writes them: `[d.]hh:mm[:ss[.fraction]]`."""

import re
from datetime import timedelta

from devstack.host.errors import SettingError

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?")


def is_timespan(text: str) -> bool:
    """Whether `text` has the form of a TimeSpan."""
    return _TIMESPAN.fullmatch(text) is not None


def parse_timespan(text: str) -> timedelta:
    """The duration that `text` says; raises SettingError for anything else."""
    match = _TIMESPAN.fullmatch(text)
    if match is None:
        raise SettingError(f"{text!r} is not a TimeSpan such as 00:00:30")
    days, hours, minutes, seconds, fraction = match.groups()
    return timedelta(
        days=int(days or 0),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds or 0) + float(fraction or 0),
    )

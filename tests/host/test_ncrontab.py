"""NCRONTAB expressions and TimeSpans as schedules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.host.errors import SettingError
from devstack.host.ncrontab import parse_schedule

_START = datetime(2024, 1, 31, 10, 30, 15, 500_000, UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", "2024-01-31T10:30:16"),
        ("*/10 * * * * *", "2024-01-31T10:30:20"),
        ("0 */5 * * * *", "2024-01-31T10:35:00"),
        ("0 5/20 * * * *", "2024-01-31T10:45:00"),
        ("0 0 2 * * *", "2024-02-01T02:00:00"),
        ("0 30 9-17 * * *", "2024-01-31T11:30:00"),
        ("0 0 0 1 * *", "2024-02-01T00:00:00"),
        ("0 0 0 29 2 *", "2024-02-29T00:00:00"),
        ("0 0 0 * * 0", "2024-02-04T00:00:00"),
        ("0 0 0 * * Mon-Fri", "2024-02-01T00:00:00"),
        ("0 0 0 1 JAN,Jul *", "2024-07-01T00:00:00"),
        # Both day fields must match: the first Friday that is a 13th.
        ("0 0 0 13 * 5", "2024-09-13T00:00:00"),
        ("*/15 * * * *", "2024-01-31T10:45:00"),
    ],
)
def test_next_occurrence(schedule: str, expected: str) -> None:
    assert parse_schedule(schedule).next_after(_START) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * *",
        "* * * * * * *",
        "0 0 0 * * 7",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
        "0 0 0 ? * *",
        "60 * * * * *",
        "0 0 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 * May-Jan *",
        "*/0 * * * * *",
        "0 0 0 * * friday",
        "@daily",
        "00:00:00",
        "",
    ],
)
def test_what_ncrontab_refuses(schedule: str) -> None:
    with pytest.raises(SettingError):
        parse_schedule(schedule)


def test_dates_that_never_come_are_refused() -> None:
    with pytest.raises(SettingError, match="never comes"):
        parse_schedule("0 0 0 30 2 *").next_after(_START)


@pytest.mark.parametrize(("text", "seconds"), [("00:00:10", 10), ("01:30:00", 5400), ("1.00:00:00", 86400)])
def test_time_spans_are_intervals(text: str, seconds: int) -> None:
    assert parse_schedule(text).next_after(_START) == _START + timedelta(seconds=seconds)


def fields(least: int, most: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field and the values that it stands for."""
    value = st.integers(least, most)
    ranges = st.tuples(value, value).map(sorted)
    return st.one_of(
        st.just(("*", frozenset(range(least, most + 1)))),
        st.frozensets(value, min_size=1, max_size=3).map(
            lambda some: (",".join(map(str, sorted(some))), some)
        ),
        ranges.map(lambda ends: (f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1)))),
        st.integers(1, 30).map(lambda step: (f"*/{step}", frozenset(range(least, most + 1, step)))),
    )


@given(
    fields(0, 59),
    fields(0, 59),
    fields(0, 23),
    fields(0, 6),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),
)
def test_the_next_occurrence_matches_and_none_lies_before_it(
    second: tuple[str, frozenset[int]],
    minute: tuple[str, frozenset[int]],
    hour: tuple[str, frozenset[int]],
    weekday: tuple[str, frozenset[int]],
    start: datetime,
) -> None:
    start = start.replace(tzinfo=UTC)
    schedule = parse_schedule(f"{second[0]} {minute[0]} {hour[0]} * * {weekday[0]}")
    found = schedule.next_after(start)
    assert found > start
    day = start.replace(microsecond=0) + timedelta(seconds=1)
    # Reckoned otherwise: the first matching day, then the first matching time of that day.
    while True:
        if day.isoweekday() % 7 in weekday[1]:
            times = (
                day.replace(hour=h, minute=m, second=s)
                for h in sorted(hour[1])
                for m in sorted(minute[1])
                for s in sorted(second[1])
            )
            expected = next((time for time in times if time >= day), None)
            if expected is not None:
                break
        day = (day + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    assert found == expected

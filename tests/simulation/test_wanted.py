"""What callers leave out is filled in; what cannot be is refused by the name of its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.platform.errors import BadRequest
from shared.simulation.wanted import Asked, simulation_wanted

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = Asked(1000, "random", None, None, None, None)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_by_default_it_is_the_last_minute_and_nothing_goes_wrong() -> None:
    made = simulation_wanted(ASKED, NOW, 10_000)
    assert (made.start, made.end, made.incidents) == (NOW - timedelta(minutes=1), NOW, 0)
    assert made.seed != simulation_wanted(ASKED, NOW, 10_000).seed


@pytest.mark.parametrize(
    ("given", "start", "end", "incidents"),
    [
        ({"start": NOW - HOUR}, NOW - HOUR, NOW, 0),
        ({"end": NOW - HOUR}, NOW - HOUR - timedelta(minutes=1), NOW - HOUR, 0),
        ({"start": NOW - DAY}, NOW - DAY, NOW, 4),
        ({"start": NOW - DAY, "incidents": 0}, NOW - DAY, NOW, 0),
        ({"start": NOW - 31 * DAY}, NOW - 31 * DAY, NOW, 50),
        ({"seed": 0, "incidents": 3}, NOW - timedelta(minutes=1), NOW, 3),
    ],
)
def test_the_rest_follows_from_what_is_given(
    given: dict[str, Any], start: datetime, end: datetime, incidents: int
) -> None:
    asked = replace(ASKED, **given)
    made = simulation_wanted(asked, NOW, 10_000)
    assert (made.start, made.end, made.incidents) == (start, end, incidents)
    assert asked.seed is None or made.seed == asked.seed


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"events": 10_001}, "num_events"),
        ({"end": NOW + HOUR}, "end_time"),
        ({"start": NOW}, "start_time"),
        ({"start": NOW + HOUR}, "start_time"),
        ({"start": NOW - HOUR, "end": NOW - DAY}, "start_time"),
        ({"start": NOW - 32 * DAY}, "start_time"),
        ({"start": datetime.min.replace(tzinfo=UTC)}, "start_time"),
        ({"end": datetime.min.replace(tzinfo=UTC)}, "end_time"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest, match=f"^{field}: should ") as refused:
        simulation_wanted(replace(ASKED, **given), NOW, 10_000)
    assert refused.value.details["field"] == field

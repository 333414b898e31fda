"""What a run sends, and where it looks for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from devstack.demo.plan import make_plan
from devstack.demo.series import Reading

START = datetime(2026, 1, 1, tzinfo=UTC)


def readings(count: int, together: int) -> list[Reading]:
    """`count` readings, `together` of them at each minute."""
    return [Reading(START + timedelta(minutes=i // together), f"s{i % together}", 1.5) for i in range(count)]


def test_windows_hold_every_event_once_and_share_no_time() -> None:
    plan = make_plan("run", readings(5000, 31))
    windows = list(plan.windows())
    assert [i for window in windows for i in window.events] == [event.event_id for event in plan.events]
    assert all(one.end == other.start for one, other in pairwise(windows))
    assert windows[0].start == plan.start
    assert windows[-1].end == plan.end
    times = {event.event_id: event.time for event in plan.events}
    assert all(w.start <= times[event_id] < w.end for w in windows for event_id in w.events)


def test_readings_of_one_moment_are_one_window() -> None:
    assert len(list(make_plan("run", readings(3000, 3000)).windows())) == 1


def test_a_message_is_an_event_without_its_type() -> None:
    event = make_plan("ab12", readings(1, 1)).events[0]
    assert json.loads(event.message()) == {
        "event_id": "demo-ab12-0000000",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": {"run": "ab12", "series": "s0", "value": 1.5},
    }

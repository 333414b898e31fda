"""What the API watcher notices, against an API that forgets, doubles and changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.demo.plan import Plan, Window, make_plan
from devstack.demo.series import Reading
from devstack.demo.tally import Tally
from devstack.demo.watchers import ApiWatcher, storage_options

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeApi:
    """Answers with `events` by time."""

    def __init__(self, plan: Plan) -> None:
        self.events_by_time = [
            (one.time, {"event_id": one.event_id, "data": dict(one.data)}) for one in plan.events
        ]

    def events(self, window: Window) -> Iterator[dict[str, Any]]:
        """Those in the window."""
        return (event for time, event in self.events_by_time if window.start <= time < window.end)


@pytest.fixture
def plan() -> Plan:
    """Three windows of events."""
    return make_plan("run", [Reading(START + timedelta(seconds=i), "s", float(i)) for i in range(2000)])


@pytest.fixture
def api(plan: Plan) -> FakeApi:
    """An API that has everything."""
    return FakeApi(plan)


@pytest.fixture
def tally(plan: Plan) -> Tally:
    """Nothing found yet."""
    return Tally(len(plan.events))


@pytest.fixture
def watcher(api: FakeApi, plan: Plan, tally: Tally) -> ApiWatcher:
    """The watcher of all these."""
    return ApiWatcher(api, plan, tally)  # type: ignore[arg-type]


def test_follows_as_far_as_there_are_events(watcher: ApiWatcher, api: FakeApi, tally: Tally) -> None:
    later = api.events_by_time[1000:]
    del api.events_by_time[1000:]
    watcher.look()
    assert tally.found == 1000
    api.events_by_time += later
    watcher.look()
    assert tally.found == 2000


def test_recount_finds_all_unchanged(watcher: ApiWatcher, tally: Tally) -> None:
    watcher.recount()
    assert (tally.found, tally.faults) == (2000, [])


def test_recount_leaves_other_runs_out(watcher: ApiWatcher, api: FakeApi, tally: Tally) -> None:
    api.events_by_time.append((START, {"event_id": "demo-other-0000001", "data": {}}))
    watcher.recount()
    assert (tally.found, tally.faults) == (2000, [])


def test_recount_tells_what_is_missing_twice_or_changed(
    watcher: ApiWatcher, api: FakeApi, tally: Tally
) -> None:
    api.events_by_time.append(api.events_by_time[5])
    api.events_by_time[7][1]["data"]["value"] = -1
    del api.events_by_time[9]
    watcher.recount()
    assert tally.found == 1999
    assert tally.faults == [
        "1 events were found more than once through the API",
        "1 events came back from the API changed",
    ]


def test_storage_options_come_from_the_connection_string() -> None:
    text = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=k==;BlobEndpoint=http://127.0.0.1:1/a;"
    assert storage_options(text)["account_key"] == "k=="

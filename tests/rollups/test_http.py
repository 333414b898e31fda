"""Analytics over HTTP on a running stack: documented fields, true at once and after a flush."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from shared.streams.events import EVENT_TYPES
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

# Each test has a day of its own, long ago.
_DAYS = (datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in count())


@pytest.fixture
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.info["http_url"], timeout=60) as client:
        yield client


@pytest.fixture
def day() -> datetime:
    return next(_DAYS)


def event(moment: datetime, event_type: str = "transaction", **data: Any) -> dict[str, Any]:
    return {"event_type": event_type, "timestamp": moment.isoformat(), "data": data}


def send(api: httpx.Client, events: list[dict[str, Any]]) -> None:
    answer = api.post("/api/events/batch", json=events)
    assert answer.status_code == 200, answer.text


def windows(api: httpx.Client, day: datetime, **query: Any) -> list[dict[str, Any]]:
    bounds = {"start_time": day.isoformat(), "end_time": (day + timedelta(days=1)).isoformat()}
    answer = api.get("/api/aggregations", params=bounds | query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == len(answer.json()["aggregations"])
    return list(answer.json()["aggregations"])


def test_windows_landed_and_flushed(api: httpx.Client, stack: RunningStack, day: datetime) -> None:
    """`data.value` counts where it is a number, else `data.amount`."""
    noon = day + timedelta(hours=12)
    send(
        api,
        [
            event(noon, value=3, amount=100, region="eu"),
            event(noon + timedelta(minutes=4, seconds=59), value="?", amount=4.5, region="us"),
            event(noon + timedelta(minutes=4), note="no value"),
            event(noon + timedelta(minutes=5), value=-1, region="eu"),
            event(noon, "error", value="none"),
        ],
    )
    expected = [
        ("transaction", noon + timedelta(minutes=5), 1, (-1, -1, -1, -1)),
        ("error", noon, 1, (None, None, None, None)),
        ("transaction", noon, 3, (7.5, 3.75, 4.5, 3)),
    ]

    def found() -> list[Any]:
        return [
            (
                one["event_type"],
                datetime.fromisoformat(one["window_start"]),
                one["count"],
                tuple(one["metrics"][n] for n in ("total_value", "avg_value", "max_value", "min_value")),
            )
            for one in windows(api, day)
        ]

    stack.wait_until(lambda: len(found()) == 3, what="the events to land")
    assert found() == expected
    api.post("/storage/flush").raise_for_status()
    assert found() == expected
    regions = windows(api, day, group_by="region", window=3600, event_type="transaction")
    assert [(one["region"], one["count"]) for one in regions] == [("eu", 2), ("us", 1), (None, 1)]
    assert [one["count"] for one in windows(api, day, window=86400)] == [1, 4]
    assert len(windows(api, day, limit=2)) == 2
    assert all("region" not in one and one["computed_at"].endswith("Z") for one in windows(api, day))
    # A window belongs to where it begins.
    later = {"start_time": (noon + timedelta(seconds=1)).isoformat()}
    assert [one["count"] for one in windows(api, day, **later)] == [1]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"event_type": "nonsense"}, "event_type"),
        ({"window": 61}, "window"),
        ({"window": 7 * 60}, "window"),
        ({"window": 0}, "window"),
        ({"limit": 1001}, "limit"),
        ({"limit": -1}, "limit"),
        ({"group_by": "user"}, "group_by"),
        ({"start_time": "yesterday"}, "start_time"),
    ],
)
def test_bad_input_is_named(api: httpx.Client, query: dict[str, Any], names: str) -> None:
    answer = api.get("/api/aggregations", params=query)
    assert answer.status_code == 400
    assert names in answer.json()["details"]


def test_an_event_counts_at_once_and_late_ones_too(api: httpx.Client, stack: RunningStack) -> None:
    """In the summary, the real-time figures and the totals; none of them counts it twice after the flush."""

    def figures() -> list[dict[str, int]]:
        summary = api.get("/api/dashboard/summary").json()["summary"]
        for name in ("event_counts_24h", "recent_aggregations_1h", "realtime_counts"):
            assert set(summary[name]) == set(EVENT_TYPES)
        return [summary["event_counts_24h"], summary["recent_aggregations_1h"], summary["realtime_counts"]]

    def totals() -> tuple[int, int]:
        stats = api.get("/api/stats").json()["stats"]
        return stats["total_events"], stats["total_aggregations"]

    def realtime() -> tuple[int, int]:
        answer = api.get("/api/metrics/realtime", params={"event_type": "page_view"}).json()
        return answer["total_count"], int(answer["region_distribution"].get("atlantis", "0"))

    before, (events, aggregations), (hour, atlantis) = figures(), totals(), realtime()
    now = datetime.now(UTC)
    send(
        api,
        [
            event(now, "page_view", region="atlantis", number=1),
            event(now - timedelta(minutes=20), "page_view"),
            event(now - timedelta(hours=20), "page_view", region="atlantis"),
            event(now - timedelta(hours=30), "page_view", region="atlantis"),
        ],
    )

    def check() -> None:
        grown = [now_["page_view"] - then["page_view"] for now_, then in zip(figures(), before, strict=True)]
        assert grown == [3, 2, 1]
        assert realtime() == (hour + 2, atlantis + 1)
        assert totals()[0] == events + 4
        assert totals()[1] >= aggregations + 2

    stack.wait_until(lambda: totals()[0] == events + 4, what="the events to land")
    check()
    newest = api.get("/api/metrics/realtime", params={"event_type": "page_view"}).json()["recent_events"]
    assert newest[0] == {"region": "atlantis", "number": 1}
    api.post("/storage/flush").raise_for_status()
    check()
    assert api.get("/api/stats").json()["stats"]["database_size_bytes"] > 0


def test_roll_ups_are_made_anew(
    api: httpx.Client, stack: RunningStack, day: datetime, await_job: Callable[[httpx.Client, str], Any]
) -> None:
    send(api, [event(day, value=number) for number in range(5)])
    api.post("/storage/flush").raise_for_status()
    answer = api.post("/api/aggregations/recompute", json={"start_date": f"{day.date()}"})
    assert answer.status_code == 202, answer.text
    job = await_job(api, answer.json()["job"]["id"])
    assert job["status"] == "succeeded"
    assert job["outcome"]["dates"] >= 1
    (window,) = windows(api, day)
    assert (window["count"], window["metrics"]["total_value"]) == (5, 10)


@pytest.fixture
def await_job(stack: RunningStack) -> Callable[[httpx.Client, str], Any]:
    def wait(api: httpx.Client, job: str) -> Any:
        def ended() -> Any:
            found = api.get(f"/storage/jobs/{job}").json()
            return found if found["finished_at"] else None

        return stack.wait_until(ended, what="the job to end")

    return wait

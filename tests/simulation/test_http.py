"""POST /api/simulate on a running stack: what it answers, and that the events are there."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.simulation.models import simulation_of
from tests.simulation.made import events
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


@pytest.fixture
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.info["http_url"], timeout=30) as client:
        yield client


@pytest.fixture
def span() -> dict[str, str]:
    """Half an hour in which nothing else happened."""
    start = datetime(1985, 1, 1, tzinfo=UTC) + timedelta(minutes=secrets.randbelow(10**6))
    return {"start_time": start.isoformat(), "end_time": (start + timedelta(minutes=30)).isoformat()}


def found(client: httpx.Client, span: dict[str, str]) -> list[dict[str, Any]]:
    """All events of the span."""
    events: list[dict[str, Any]] = []
    while True:
        page = {"limit": 1000, "offset": len(events)}
        answer = client.get("/api/events", params=span | page).raise_for_status().json()
        events += answer["events"]
        if answer["count"] < 1000:
            return events


def as_told(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The events that the answer stands for, made anew: `data` and label by id."""
    simulation = simulation_of({name: answer[name] for name in answer if name != "incidents"}
                               | {"incidents": len(answer["incidents"])})  # fmt: skip
    return {
        event["event_id"]: {"data": event["data"], "incident": event["metadata"].get("incident")}
        for event in events(simulation)
    }


def test_a_few_events_are_there_with_the_answer(
    client: httpx.Client, stack: RunningStack, span: dict[str, str]
) -> None:
    wanted = {"num_events": 300, "event_type": "random", "incidents": 2, **span}
    answer = client.post("/api/simulate", json=wanted)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["events_generated"], told["job_id"]) == ("success", 300, None)
    stack.wait_until(lambda: len(found(client, span)) == 300, what="the events")
    seen = {
        event["event_id"]: {"data": event["data"], "incident": event["metadata"].get("incident")}
        for event in found(client, span)
    }
    assert seen == as_told(told)
    assert {event["metadata"]["source"] for event in found(client, span)} == {"simulator"}
    labels = {one["incident"]["id"] for one in seen.values() if one["incident"]}
    # An outage has few events, or none among so few.
    assert labels <= {one["id"] for one in told["incidents"]}


def test_more_events_are_a_job_of_which_one_runs(
    client: httpx.Client, stack: RunningStack, span: dict[str, str]
) -> None:
    def start(**wanted: Any) -> httpx.Response:
        body = {"num_events": 6_000, "event_type": "error", "seed": 5, **wanted}
        return client.post("/api/simulate", json=body)

    def begun() -> httpx.Response | None:
        """Once whatever other tests simulate is done."""
        answer = start(**span)
        assert answer.status_code == 202, answer.text
        return answer if answer.json()["status"] == "started" else None

    answer = stack.wait_until(begun, within=60, what="a job of its own")
    told = answer.json()
    assert (told["num_events"], told["seed"], told["events_generated"]) == (6_000, 5, 0)
    assert answer.headers["Location"] == f"/storage/jobs/{told['job_id']}"
    second = start(seed=6, start_time="1984-01-01T00:00:00Z", end_time="1984-01-01T00:30:00Z").json()
    if second["status"] == "running":  # else the first was done already
        assert (second["job_id"], second["seed"]) == (told["job_id"], 5)

    def ended() -> dict[str, Any] | None:
        job = client.get(answer.headers["Location"]).raise_for_status().json()
        return job if job["status"] not in ("queued", "running") else None

    job = stack.wait_until(ended, within=60, what="the job's end")
    assert (job["status"], job["outcome"]) == ("succeeded", {"events_generated": 6_000})
    assert job["progress"] == {"done": 6_000, "total": 6_000, "unit": "events"}
    last = span | {"limit": 1000, "offset": 5_000}
    stack.wait_until(
        lambda: client.get("/api/events", params=last).json()["count"] == 1000, what="the events"
    )
    ids = Counter(event["event_id"] for event in found(client, span))
    assert ids == Counter(as_told(told).keys())


@pytest.mark.parametrize(
    ("wanted", "details"),
    [
        ({"num_events": 0}, "num_events: "),
        ({"num_events": "many"}, "num_events: "),
        ({"num_events": True}, "num_events: "),
        ({"num_events": 20_001}, "num_events: should be less than or equal to 20000"),
        ({"event_type": "purchase"}, "event_type: "),
        ({"seed": -1}, "seed: "),
        ({"seed": 2**53}, "seed: "),
        ({"incidents": 51}, "incidents: "),
        ({"start_time": "yesterday"}, "start_time: "),
        ({"end_time": "2999-01-01T00:00:00Z"}, "end_time: should not lie in the future"),
        ([], "body: "),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_name(client: httpx.Client, wanted: Any, details: str) -> None:
    answer = client.post("/api/simulate", json=wanted)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid request"
    assert answer.json()["details"].startswith(details)


def test_the_producers_figures_hold_what_was_simulated(client: httpx.Client) -> None:
    client.post("/api/simulate", json={"num_events": 50}).raise_for_status()
    produced = client.get("/metrics").raise_for_status().json()["producer_metrics"]
    assert produced["record_send_rate"] > 0
    assert produced["event_send_rate"] >= 50 / 60 - 0.001
    assert produced["request_latency_avg"] > 0

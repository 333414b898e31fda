"""Anomalies on a running stack: from events to an acknowledged anomaly."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

# A type that no other test sends spikes of.
TYPE = "system_metric"


@pytest.fixture(scope="module")
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.info["http_url"], timeout=60) as client:
        yield client


def event(when: datetime, value: float) -> dict[str, Any]:
    return {
        "event_type": TYPE,
        "timestamp": when.isoformat(),
        "data": {"value": value, "region": REGION},
    }


REGION = f"region-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="module")
def spike(stack: RunningStack, api: httpx.Client) -> dict[str, Any]:
    """The anomaly that a hundredfold value is, after an hour of history that was sent moments before."""
    now = datetime.now(UTC)
    history = [event(now - timedelta(minutes=61 - place), 10 + place % 3) for place in range(61)]
    for batch in (history, [event(now, 1100.0)] * 2):
        api.post("/api/events/batch", json=batch).raise_for_status()

    def found() -> dict[str, Any] | None:
        wanted = {"event_type": TYPE, "metric": "mean", "start_time": now.isoformat()}
        anomalies = api.get("/api/anomalies", params=wanted).raise_for_status().json()["anomalies"]
        return next((one for one in anomalies if one["details"]["current_value"] > 500), None)

    return stack.wait_until(found, 60, "the anomaly")


def test_a_hundredfold_value_is_found(spike: dict[str, Any]) -> None:
    """Of all regions together, for the one that has it is the only one that sends the type."""
    assert spike["region"] in (None, REGION)
    assert spike["severity"] in ("high", "critical")
    assert spike["status"] == "open"
    details = spike["details"]
    assert details["current_value"] == 1100
    assert details["expected_value"] == pytest.approx(11, rel=0.2)
    assert details["deviation"] == pytest.approx(99, rel=0.25)


def test_it_is_counted(api: httpx.Client, spike: dict[str, Any]) -> None:
    summary = api.get("/api/dashboard/summary").raise_for_status().json()["summary"]
    stats = api.get("/api/stats").raise_for_status().json()["stats"]
    assert 1 <= summary["anomalies_24h"] <= stats["total_anomalies"]


def test_it_stands_in_its_series(api: httpx.Client, spike: dict[str, Any]) -> None:
    wanted = {"event_type": TYPE, "metric": "mean"}
    if spike["region"]:
        wanted["region"] = spike["region"]
    series = api.get("/api/series", params=wanted).raise_for_status().json()
    assert spike["id"] in [one["id"] for one in series["anomalies"]]
    point = next(one for one in series["points"] if one["timestamp"] == spike["window_start"])
    assert point["value"] == spike["details"]["current_value"]
    assert point["high"] < point["value"]
    assert point["low"] <= point["expected"] <= point["high"]


def test_it_is_acknowledged_once(api: httpx.Client, spike: dict[str, Any]) -> None:
    path = f"/api/anomalies/{spike['id']}/acknowledge"
    first = api.post(path, json={"note": "a test"}).raise_for_status().json()
    again = api.post(path, json={"note": "another"}).raise_for_status().json()
    assert first == again
    assert first["status"] == "acknowledged"
    assert first["note"] == "a test"
    assert first["acknowledged_at"] is not None
    listed = api.get("/api/anomalies", params={"event_type": TYPE, "acknowledged": True}).json()
    assert spike["id"] in [one["id"] for one in listed["anomalies"]]

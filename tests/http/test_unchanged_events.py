"""GET /api/events with an ETag, on a running stack: 304 as long as nothing came, never when something did."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


def test_unchanged_until_an_event_comes(stack: RunningStack) -> None:
    # A time of the test's own, far from other tests' events; open-ended towards the future.
    start = datetime(2100, 1, 1, tzinfo=UTC) + timedelta(seconds=secrets.randbelow(10**9))
    window = {"start_time": start.isoformat(), "event_type": "error"}
    with httpx.Client(base_url=stack.info["http_url"]) as client:

        def find(etag: str | None = None) -> httpx.Response:
            return client.get("/api/events", params=window, headers={"If-None-Match": etag} if etag else {})

        def send() -> str:
            event: dict[str, Any] = {"event_type": "error", "data": {}, "timestamp": start.isoformat()}
            return str(client.post("/api/events", json=event).raise_for_status().json()["event_id"])

        def seen(event_id: str) -> bool:
            """Whether the event is in a plain answer; from then on no answer may be as it was before."""
            return any(event["event_id"] == event_id for event in find().json()["events"])

        for _ in range(2):
            before = find()
            event_id = send()
            stack.wait_until(lambda wanted=event_id: seen(wanted), what="the event")  # type: ignore[misc]
            after = find(before.headers["ETag"])
            assert after.status_code == 200
            assert event_id in after.text
        client.post("/storage/flush").raise_for_status()
        flushed = find()
        assert flushed.json() == after.json()
        # Nothing lands or is flushed in between, or the answer is whole again.
        again = stack.wait_until(
            lambda: (answer := find(find().headers["ETag"])).status_code == 304 and answer, what="304"
        )
        assert again.content == b""
        assert again.headers["Cache-Control"] == "private, no-cache"
        head = client.head("/api/events", params=window, headers={"If-None-Match": "*"})
        assert head.status_code == 304

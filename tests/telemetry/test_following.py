"""A request's id is followed through a real stack: from HTTP by Kafka into landing and to the commit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.leaks import BODY_MARKER
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def lines(stack: RunningStack, wanted: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
    """The lines of Floe in the host's log for which `wanted` is true."""
    found = []
    for text in (stack.home / "logs" / "host.log").read_text().splitlines():
        _, brace, rest = text.partition(' {"event"')
        if brace:
            line = json.loads('{"event"' + rest)
            if wanted(line):
                found.append(line)
    return found


def test_from_the_request_to_the_commit(stack: RunningStack, http: httpx.Client) -> None:
    request_id = f"follow-{uuid.uuid4().hex}"
    events = [
        {"event_type": kind, "data": {"n": number, "note": BODY_MARKER}}
        for number, kind in enumerate(["user_action", "error", "user_action"])
    ]
    sent = http.post(
        "/api/events/batch", json=events, headers={"X-Request-Id": request_id, "traceparent": TRACE}
    )
    assert sent.json()["count"] == 3
    stack.wait_until(lambda: http.post("/storage/flush").status_code == 200, what="a flush")

    landed = stack.wait_until(
        lambda: [
            line
            for line in lines(stack, lambda line: line["event"] == "landed")
            if request_id in line["request_ids"]
        ],
        what="the landing's line",
    )
    assert {line["source"].split("/")[0] for line in landed} == {"events.user_action", "events.error"}
    assert {line["function"] for line in landed} == {"land_events_user_action", "land_events_error"}
    assert all("request_id" not in line and line["instance"] for line in landed)

    commits = lines(stack, lambda line: line["event"] == "committed" and line["stream"] == "events")
    for line in landed:
        ranges = [commit.get("sources", {}).get(line["source"]) for commit in commits]
        assert any(r and r[0] <= line["first"] and line["last"] <= r[1] for r in ranges)


def test_messages_without_headers_are_landed_in_silence(stack: RunningStack, http: httpx.Client) -> None:
    from confluent_kafka import Producer

    marker = uuid.uuid4().hex
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap"]})
    body = json.dumps({"event_id": marker, "event_type": "page_view", "data": {}}).encode()
    producer.produce("events.page_view", body, headers=[("other", b"\xff\x00")])
    producer.produce("events.page_view", body)
    producer.produce("events.page_view", f"{BODY_MARKER} is no JSON".encode())
    producer.flush(30)
    http.post("/storage/flush")
    assert lines(stack, lambda line: marker in json.dumps(line)) == []

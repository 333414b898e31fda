"""`/storage/stats`, `/azure/files` and `/health` of a running stack: one truth, told three times."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from confluent_kafka import Producer

from shared.lake.paths import path_segment
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

SENSORS = 3
READINGS = 12


def ask(stack: RunningStack, path: str, method: str = "GET", **query: object) -> Any:
    """The JSON that the stack answers."""
    url = f"{stack.info['http_url']}/{path}" + (f"?{urlencode(query)}" if query else "")
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def consumed(stack: RunningStack) -> int | None:
    """Messages with readings that `/health` counts."""
    count: int | None = ask(stack, "health")["components"]["kafka"]["metrics"]["messages_consumed"]
    return count


@pytest.fixture(scope="module")
def asset(stack: RunningStack) -> str:
    """An asset with readings of this hour, one message each, flushed; and a message that is none."""
    name = f"pump/{uuid.uuid4().hex[:8]}"
    before = stack.wait_until(lambda: (consumed(stack),), what="health")[0]
    assert before is not None
    producer = Producer({"bootstrap.servers": stack.info["kafka_bootstrap"], "log_level": 0})
    now = datetime.now(UTC)
    for number in range(READINGS):
        reading = {
            "asset": name,
            "sensor": f"s{number % SENSORS}",
            "timestamp": (now - timedelta(milliseconds=number)).isoformat(),
            "value": number,
        }
        producer.produce("sensor-data", json.dumps(reading).encode())
    producer.produce("sensor-data", b"no reading")
    assert producer.flush(15) == 0

    def all_counted() -> bool:
        return (consumed(stack) or 0) >= before + READINGS + 1

    stack.wait_until(all_counted, what="all readings counted")
    stats = ask(stack, "storage/stats")
    held = stats["buffered_records"]
    assert (held > 0) == (stats["buffer_count"] > 0) == (stats["minute_buffer_count"] > 0)
    assert stats["minute_buffered_records"] <= held
    ask(stack, "storage/flush", "POST")
    assert consumed(stack) == before + READINGS + 1
    return name


def pages(stack: RunningStack, **query: object) -> Iterator[Any]:
    """Each page of `/azure/files`."""
    page = ask(stack, "azure/files", **query)
    yield page
    while page["continuation"]:
        page = ask(stack, "azure/files", **query, continuation=page["continuation"])
        yield page


def test_stats_are_those_of_the_files_that_are_listed(stack: RunningStack, asset: str) -> None:
    stats = ask(stack, "storage/stats")
    listed = ask(stack, "azure/files", prefix=f"raw/{path_segment(asset)}/")
    assert stats["assets"][asset]["files"] == listed["count"] == len(listed["files"]) >= SENSORS
    assert listed["continuation"] is None
    assert stats["assets"][asset]["size_bytes"] / 2**20 == pytest.approx(listed["total_size_mb"], abs=5e-4)
    assert stats["total_files"] == sum(one["files"] for one in stats["assets"].values())
    assert stats["total_size_bytes"] == sum(one["size_bytes"] for one in stats["assets"].values())
    assert stats["total_size_mb"] == round(stats["total_size_bytes"] / 2**20, 3)
    for file in listed["files"]:
        assert file["content_type"] == "application/octet-stream"
        assert datetime.now(UTC) - datetime.fromisoformat(file["last_modified"]) < timedelta(hours=1)
        assert file["size_mb"] > 0


def test_files_continue_from_page_to_page(stack: RunningStack, asset: str) -> None:
    whole = [file["name"] for file in ask(stack, "azure/files")["files"]]
    parts = list(pages(stack, limit=2))
    assert [file["name"] for page in parts for file in page["files"]] == whole
    assert all(page["count"] == 2 for page in parts[:-1])
    assert not [name for name in whole if name.startswith("_")]
    assert [name for name in whole if path_segment(asset) in name]


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 5001}, {"limit": "x"}, {"continuation": "made-up"}, {"prefix": "x" * 1025}],
)
def test_what_is_wrong_with_a_query_is_said(stack: RunningStack, query: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(stack, "azure/files", **query)
    assert refused.value.code == 400
    assert next(iter(query)) in json.load(refused.value)["detail"]


def test_health_says_what_the_tables_hold(stack: RunningStack, asset: str) -> None:
    stats = ask(stack, "storage/stats")

    def components() -> Any:
        told = ask(stack, "health")["components"]
        return told if told["storage"]["stats"]["total_files"] >= stats["total_files"] else None

    health = stack.wait_until(components, what="files counted")
    assert health["azure"]["metrics"]["container_name"] == "sensor-data-cold-storage"
    last = datetime.fromisoformat(health["kafka"]["metrics"]["last_message_time"])
    assert timedelta() <= datetime.now(UTC) - last < timedelta(hours=1)
    assert (
        health["kafka"]["metrics"]["messages_by_topic"]["sensor-data"]
        == health["kafka"]["metrics"]["messages_consumed"]
    )


def test_metrics_say_the_same(stack: RunningStack, asset: str) -> None:
    stats = ask(stack, "storage/stats")
    metrics = ask(stack, "metrics")
    told = {name: stats[name] for name in ("total_files", "total_size_bytes", "total_size_mb", "assets")}
    assert {name: metrics["storage"][name] for name in told} == told
    assert metrics["kafka"]["messages_consumed"] == consumed(stack)
    assert 1 <= metrics["kafka"]["messages_failed"] <= metrics["kafka"]["messages_consumed"]

"""`/metrics` and `/info` of a running stack."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as open_parser
from prometheus_client.parser import text_string_to_metric_families

from shared.platform.version import VERSION
from shared.telemetry.catalogue import all_metrics
from tests.stack.running import RunningStack
from tests.telemetry.test_accept import PROMETHEUS_3

pytestmark = pytest.mark.stack


def samples(
    http: httpx.Client, accept: str = "text/plain"
) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Values by sample name and labels."""
    answer = http.get("/metrics", headers={"Accept": accept})
    assert answer.status_code == 200
    parse: Any = text_string_to_metric_families
    if answer.headers["content-type"].startswith("application/openmetrics-text"):
        parse = open_parser.text_string_to_metric_families
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in parse(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def requests(http: httpx.Client, operation: str, status: str) -> float:
    series = samples(http).get("floe_http_requests_total", {})
    return sum(
        value
        for labels, value in series.items()
        if {("operation", operation), ("status", status)} <= set(labels)
    )


def test_info(http: httpx.Client) -> None:
    answer = http.get("/info")
    assert answer.status_code == 200
    assert answer.json()["name"] == "floe"
    assert answer.json()["version"] == VERSION
    assert answer.json()["environment"] == "local"


def test_json_has_every_documented_field(http: httpx.Client) -> None:
    answer = http.get("/metrics")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert {"messages_consumed", "messages_failed", "last_message_time", "is_running"} <= set(told["kafka"])
    assert told["kafka"]["is_running"] is True
    assert {
        "total_files",
        "total_size_bytes",
        "total_size_mb",
        "assets",
        "buffer_count",
        "buffered_records",
    } <= set(told["storage"])
    assert {"total_uploads", "successful_uploads", "failed_uploads", "total_bytes"} <= set(
        told["azure"]["upload_stats"]
    )
    assert {"total_files_deleted", "total_bytes_freed", "cleanup_runs"} <= set(
        told["cleanup"]["cleanup_stats"]
    )
    assert {"record_send_rate", "record_error_rate", "request_latency_avg"} <= set(told["producer_metrics"])


def test_prometheus_gets_what_it_asks_for(http: httpx.Client) -> None:
    known = {metric.name for metric in all_metrics()}
    suffixes = ("", "_bucket", "_sum", "_count")
    for accept in ("text/plain", PROMETHEUS_3):
        shown = samples(http, accept)
        assert {"floe_http_requests_total", "http_request_duration_seconds_bucket"} <= set(shown)
        assert all(any(name.removesuffix(end) in known for end in suffixes) for name in shown)
    assert (
        http.get("/metrics", headers={"Accept": PROMETHEUS_3})
        .headers["content-type"]
        .startswith("application/openmetrics-text; version=1.0.0")
    )


def test_requests_and_messages_are_counted(http: httpx.Client) -> None:
    found, missed = requests(http, "get_info", "2xx"), requests(http, "fallback", "4xx")
    topic = (("topic", "events.transaction"),)
    produced = samples(http).get("floe_produced_messages_total", {}).get(topic, 0)
    http.get("/info")
    http.get("/info")
    http.get("/nothing/here")
    assert http.post("/api/events", json={"event_type": "transaction", "data": {}}).status_code == 200
    assert requests(http, "get_info", "2xx") == found + 2
    assert requests(http, "fallback", "4xx") == missed + 1
    assert samples(http)["floe_produced_messages_total"][topic] == produced + 1
    rates = http.get("/metrics").json()["producer_metrics"]
    assert rates["record_send_rate"] > 0
    assert rates["request_latency_avg"] > 0


def test_totals_outlive_a_host_that_is_killed(stack: RunningStack, http: httpx.Client) -> None:
    """What `/metrics` showed once, it shows after that, too."""
    http.get("/info")
    before = requests(http, "get_info", "2xx")
    starts = samples(http)["floe_cold_starts_total"][()]
    killed = stack.kill("host")
    stack.wait_until(lambda: stack.pid("host") != killed, what="another host")

    def answers() -> bool:
        try:
            return http.get("/info").status_code == 200
        except httpx.TransportError:
            return False

    stack.wait_until(answers, what="an answer")
    assert requests(http, "get_info", "2xx") >= before + 1
    assert samples(http)["floe_cold_starts_total"][()] == starts + 1

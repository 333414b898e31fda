"""Traces, logs and metrics arrive where they are sent to: Application Insights, and an OTLP collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.platform import logs
from shared.telemetry import tracing
from tests.architecture.imports import ROOT
from tests.telemetry.backend import Backend, running_backend

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
OTHER = "5bf92f3577b34da6a3ce929d0e0e4736"
KEY = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def backend() -> Iterator[Backend]:
    with running_backend() as running:
        yield running


def run_app(**settings: str) -> str:
    """Runs the app once with these settings; what it logged."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOE_")}
    local = {"FLOE_STORAGE_ACCOUNT": "floetests", "FLOE_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "followed"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.telemetry.observed_app", json.dumps(headers)],
        cwd=ROOT,
        env=environment | local | {"APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true"} | settings,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_application_insights_gets_requests_lines_and_counts(backend: Backend) -> None:
    run_app(
        APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={KEY};IngestionEndpoint={backend.url}/",
        FLOE_ENVIRONMENT="tested",
    )
    (request,) = [
        one for one in backend.of_kind("RequestData") if one["properties"]["floe.request_id"] == "followed"
    ]
    assert request["tags"]["ai.operation.id"] == TRACE
    assert request["tags"]["ai.operation.parentId"] == PARENT
    assert request["tags"]["ai.cloud.role"] == "floe"
    assert request["responseCode"] == "404"
    messages = {json.loads(line["message"])["event"]: line for line in backend.of_kind("MessageData")}
    loaded = messages["telemetry is sent"]
    assert loaded["properties"]["event"] == "telemetry is sent"
    assert loaded["properties"]["instance"] == json.loads(loaded["message"])["instance"]
    counts = {one["metrics"][0]["name"]: one for one in backend.of_kind("MetricData")}
    assert counts["floe_http_requests_total"]["properties"]["operation"] == "fallback"
    assert counts["floe_http_request_duration_seconds_count"]["metrics"][0]["value"] >= 1


def test_a_collector_gets_them_by_otlp(backend: Backend) -> None:
    run_app(OTEL_EXPORTER_OTLP_ENDPOINT=backend.url)
    assert {path for path, _ in backend.bodies} == {"/v1/traces", "/v1/logs", "/v1/metrics"}
    spans = b"".join(body for path, body in backend.bodies if path == "/v1/traces")
    assert bytes.fromhex(TRACE) in spans
    assert b"followed" in spans


def test_on_azure_lines_go_through_the_host_alone(backend: Backend) -> None:
    run_app(OTEL_EXPORTER_OTLP_ENDPOINT=backend.url, WEBSITE_INSTANCE_ID="one-of-many")
    paths = {path for path, _ in backend.bodies}
    assert "/v1/traces" in paths
    assert "/v1/logs" not in paths


def test_a_wrong_address_does_not_stop_the_app() -> None:
    from shared.telemetry.export import Export

    called: list[int] = []

    def load() -> tracing.Tracer:
        called.append(1)
        raise ValueError("no such backend")

    export = Export(load, lines=True)  # type: ignore[arg-type]
    export._run()
    assert called == [1]
    assert not tracing.installed()


class Recording:
    """Implements Tracer: remembers what begins and ends."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, name: str, kind: str, attributes: object, parent: str | None, links: object) -> Recording:
        self.told.append((name, kind, parent, links))
        return self

    def end(self, attributes: object = None, *, failed: bool = False) -> None:
        self.told.append("failed" if failed else "ended")

    def traceparent(self) -> str | None:
        return f"00-{OTHER}-{PARENT}-01"


@pytest.fixture
def recording() -> Iterator[Recording]:
    tracer = Recording()
    tracing.install(tracer)  # type: ignore[arg-type]
    yield tracer
    tracing.install(None)


def test_spans_end_as_their_blocks_do(recording: Recording) -> None:
    with tracing.span("land", "consumer", links=("a",)):
        pass
    with pytest.raises(ValueError, match="no"), tracing.span("flush"):
        raise ValueError("no")
    assert recording.told == [
        ("land", "consumer", None, ("a",)),
        "ended",
        ("flush", "internal", None, ()),
        "failed",
    ]


def test_only_a_valid_parent_is_continued(recording: Recording) -> None:
    tracing.begin("x", "server", parent="nonsense")
    tracing.begin("x", "server", parent=f"00-{TRACE}-{PARENT}-01")
    assert [told[2] for told in recording.told] == [None, f"00-{TRACE}-{PARENT}-01"]  # type: ignore[index]


def test_what_is_sent_on_continues_the_span(recording: Recording) -> None:
    token = logs.bind("r", "f", f"00-{TRACE}-{PARENT}-01")
    assert tracing.traceparent() == f"00-{OTHER}-{PARENT}-01"
    tracing.install(None)
    assert tracing.traceparent() == f"00-{TRACE}-{PARENT}-01"
    logs.unbind(token)

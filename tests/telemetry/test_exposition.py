"""What `/metrics` shows, read back by Prometheus' own parsers; and that all of it is declared."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as open_parser
from prometheus_client.parser import text_string_to_metric_families

from shared.telemetry import catalogue
from shared.telemetry.catalogue import all_metrics
from shared.telemetry.exposition import Format, expose
from shared.telemetry.instruments import Metric, Numbers, Totals
from shared.telemetry.last_minute import Produced
from shared.telemetry.pipeline import PipelineTotals
from shared.telemetry.reports import Seen

_NAME = re.compile(r"[a-z][a-z0-9_]*")
KNOWN = PipelineTotals(
    messages_consumed=10,
    messages_failed=1,
    messages_by_topic={"sensor-data": 10},
    last_message_time=datetime(2026, 1, 1, tzinfo=UTC),
    total_files=3,
    total_size_bytes=4096,
    buffer_count=2,
    buffered_records=7,
    successful_uploads=5,
    failed_uploads=0,
    uploaded_bytes=99,
    cleanup_runs=4,
    deleted_files=6,
    freed_bytes=1000,
)


def everything() -> Totals:
    """Each instrument with one series."""
    return {
        name: {
            tuple("4xx" if label == "status" else f'{label} "x"\n' for label in one.metric.labels): _some(
                one.metric
            )
        }
        for name, one in catalogue.INSTRUMENTS.items()
    }


def _some(metric: Metric) -> Numbers:
    return [3.0] if metric.kind == "counter" else [2.5, *range(1, len(metric.bounds) + 2)]


def parsed(seen: Seen, totals: PipelineTotals, form: Format) -> dict[str, Any]:
    """Families by name, which for counters is without `_total`."""
    text = expose(seen, totals, form).decode()
    parse: Any = (
        open_parser.text_string_to_metric_families
        if form == "openmetrics"
        else text_string_to_metric_families
    )
    return {family.name: family for family in parse(text)}


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_all_that_is_declared_is_shown_and_nothing_else(form: Format) -> None:
    shown = parsed(Seen(everything(), Produced(), 1), KNOWN, form)
    assert set(shown) == {metric.name.removesuffix("_total") for metric in all_metrics()}
    for metric in all_metrics():
        family = shown[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_what_is_not_known_is_left_out(form: Format) -> None:
    shown = parsed(Seen({}, Produced(), 0), PipelineTotals(), form)
    assert set(shown) == {"floe_build_info", "floe_instances"}


def test_the_plain_names_are_sums_over_operations() -> None:
    requests = {
        ("find", "GET", "/things", "2xx"): [5.0],
        ("find", "GET", "/things", "4xx"): [2.0],
        ("older_find", "GET", "/things", "5xx"): [1.0],
        ("make", "POST", "/things", "2xx"): [4.0],
    }
    shown = parsed(Seen({"floe_http_requests_total": requests}, Produced(), 1), PipelineTotals(), "text")
    counts = {(s.labels["method"], s.labels["endpoint"]): s.value for s in shown["http_requests"].samples}
    errors = {
        (s.labels["method"], s.labels["endpoint"]): s.value for s in shown["http_requests_errors"].samples
    }
    assert counts == {("GET", "/things"): 8, ("POST", "/things"): 4}
    assert errors == {("GET", "/things"): 3}


def test_buckets_are_cumulative() -> None:
    metric = catalogue.PRODUCE_DURATION.metric
    numbers = [2.5, *[1.0] * (len(metric.bounds) + 1)]
    shown = parsed(Seen({metric.name: {("t",): numbers}}, Produced(), 1), PipelineTotals(), "openmetrics")
    samples = {(s.name, s.labels.get("le")): s.value for s in shown[metric.name].samples}
    assert samples[metric.name + "_bucket", "+Inf"] == samples[metric.name + "_count", None]
    assert samples[metric.name + "_bucket", "0.001"] == 1
    assert samples[metric.name + "_sum", None] == 2.5


def test_counts_of_a_release_with_other_bounds_are_left_out() -> None:
    name = catalogue.PRODUCE_DURATION.metric.name
    shown = parsed(
        Seen({name: {("t",): [1.0, 2.0]}, "unheard_of": {(): [1.0]}}, Produced(), 1), PipelineTotals(), "text"
    )
    assert name not in shown
    assert "unheard_of" not in shown


def test_names_follow_the_conventions() -> None:
    names = [metric.name for metric in all_metrics()]
    assert len(names) == len(set(names))
    for metric in all_metrics():
        assert _NAME.fullmatch(metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.kind != "histogram" or metric.name.endswith("_seconds")
        assert metric.meaning.endswith(".")
        assert list(metric.bounds) == sorted(set(metric.bounds))

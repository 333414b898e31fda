"""Incidents: where they are told to be, what they do there, and that their events say so."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from operator import itemgetter
from statistics import median
from typing import Any

import pytest

from shared.simulation.incidents import EFFECTS, IncidentTold, told
from shared.streams.events import EVENT_TYPES
from tests.simulation.made import DAY, START, events


@pytest.fixture(scope="module")
def day() -> list[dict[str, Any]]:
    return events(DAY)


def within(incident: IncidentTold, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events in its region and time; `found` are in the order of time."""
    first, end = (bisect_left(found, edge, key=itemgetter("time")) for edge in (incident.start, incident.end))
    return [event for event in found[first:end] if event["data"]["region"] == incident.region]


def before(incident: IncidentTold) -> IncidentTold:
    """The same region and as long a time before the incident."""
    length = incident.end - incident.start
    return replace(incident, start=incident.start - length, end=incident.start)


def label(event: dict[str, Any]) -> dict[str, str]:
    return event["metadata"].get("incident", {})


def values(found: list[dict[str, Any]], event_type: str) -> list[float]:
    return [
        event["data"].get("value", event["data"].get("amount", 0.0))
        for event in found
        if event["event_type"] == event_type
    ]


def typical(found: list[dict[str, Any]], event_type: str) -> float:
    return median(values(found, event_type))


def count(found: list[dict[str, Any]], event_type: str) -> float:
    return len(values(found, event_type))


def test_incidents_come_one_after_the_other_when_there_is_a_past() -> None:
    incidents = told(DAY)
    assert [one.kind for one in incidents].count("outage") == 2
    assert {one.kind for one in incidents} == set(EFFECTS)
    assert incidents[0].start >= START + timedelta(hours=4.8)
    assert incidents[-1].end <= DAY.end
    assert all(one.end <= after.start for one, after in pairwise(incidents))
    assert all(timedelta(minutes=5) <= one.end - one.start <= timedelta(minutes=20) for one in incidents)


def test_the_events_of_an_incident_say_so_and_no_others(day: list[dict[str, Any]]) -> None:
    expected = {}
    for one in told(DAY):
        for event in within(one, day):
            if event["event_type"] in one.event_types:
                expected[event["event_id"]] = {"kind": one.kind, "id": one.id}
    labels = {event["event_id"]: label(event) for event in day if label(event)}
    honest = {name for name, one in expected.items() if one["kind"] == "fraud_burst"} - labels.keys()
    assert labels == {name: one for name, one in expected.items() if name not in honest}


RISES: list[tuple[str, str, Callable[[list[dict[str, Any]], str], float], float, float]] = [
    ("traffic_spike", "page_view", count, 4, 16),
    ("traffic_spike", "transaction", count, 2, 9),
    ("traffic_spike", "system_metric", typical, 2, 8),
    ("outage", "page_view", count, 0, 0.15),
    ("outage", "error", count, 5, 60),
    ("latency_rise", "system_metric", typical, 4.5, 7.5),
    ("latency_rise", "page_view", typical, 4.5, 7.5),
    ("latency_rise", "page_view", count, 0.6, 1.6),
    ("fraud_burst", "transaction", count, 2, 9),
    ("fraud_burst", "transaction", typical, 5, 60),
]


@pytest.mark.parametrize(("kind", "event_type", "figure", "least", "most"), RISES)
def test_incidents_show(
    kind: str,
    event_type: str,
    figure: Callable[[list[dict[str, Any]], str], float],
    least: float,
    most: float,
    day: list[dict[str, Any]],
) -> None:
    ratios = [
        figure(within(one, day), event_type) / figure(within(before(one), day), event_type)
        for one in told(DAY)
        if one.kind == kind
    ]
    assert least <= median(ratios) <= most


def test_frauds_are_large_and_of_few(day: list[dict[str, Any]]) -> None:
    paid = [event for event in day if event["event_type"] == "transaction"]
    frauds = [event for event in paid if label(event).get("kind") == "fraud_burst"]
    bursts = [one for one in told(DAY) if one.kind == "fraud_burst"]
    together = [event for one in bursts for event in within(one, paid)]
    assert 0.6 < len(frauds) / len(together) < 0.9
    assert len({event["data"]["user_id"] for event in frauds}) <= 5 * len(bursts)
    assert typical(frauds, "transaction") > 8 * typical(paid, "transaction")


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_one_type_alone_has_the_incidents_that_touch_it(event_type: str) -> None:
    single = replace(DAY, events=20_000, event_type=event_type)
    incidents = told(single)
    assert {one.kind for one in incidents} == {
        kind for kind, effect in EFFECTS.items() if event_type in effect.types
    }
    assert all(one.event_types == [event_type] for one in incidents)
    assert any(label(event) for event in events(single))


@pytest.mark.parametrize(("seconds", "incidents"), [(1, 50), (60, 50), (86_400 * 31, 50), (60, 0)])
def test_any_span_has_room(seconds: int, incidents: int) -> None:
    span = replace(DAY, events=1, end=START + timedelta(seconds=seconds), incidents=incidents)
    found = told(span)
    assert len(found) == incidents
    assert all(one.start < one.end <= span.end for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))

"""Made-up traffic looks like traffic: shares, swings, sessions, amounts, load; and it can be made again."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import fmean, median, stdev
from typing import Any

import numpy as np
import pytest

from shared.simulation.models import CHUNK, simulation_of
from shared.simulation.regions import REGIONS
from shared.simulation.traffic import Traffic
from shared.streams.events import EVENT_TYPES
from tests.simulation.made import START, WEEK, data_of, events, texts


@pytest.fixture(scope="module")
def week() -> list[dict[str, Any]]:
    return events(WEEK)


def shares(names: list[str]) -> dict[str, float]:
    return {name: count / len(names) for name, count in Counter(names).items()}


def test_the_same_simulation_gives_the_same_bytes() -> None:
    small = replace(WEEK, events=2 * CHUNK + 17, incidents=3)
    made = texts(small)
    assert made == texts(small)
    assert made == texts(simulation_of(small.parameters()))
    assert made[::-1] == texts(small, [2, 1, 0])


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"events": CHUNK + 1}, {"end": WEEK.end + timedelta(microseconds=1)}, {"incidents": 1}],
    ids=str,
)
def test_another_simulation_has_other_events(change: dict[str, Any]) -> None:
    small = replace(WEEK, events=CHUNK)
    ids = {made.event_id for made in Traffic(small).chunk(0)}
    assert ids.isdisjoint(made.event_id for made in Traffic(replace(small, **change)).chunk(0))


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 1), (CHUNK, 1), (CHUNK + 1, 60), (1, 86_400 * 31), (3 * CHUNK, 3_600)]
)
def test_the_events_are_as_many_as_wanted_in_order_and_inside(count: int, seconds: int) -> None:
    span = replace(WEEK, events=count, end=START + timedelta(seconds=seconds), incidents=2)
    found = events(span)
    assert len({event["event_id"] for event in found}) == count
    times = [event["time"] for event in found]
    assert times == sorted(times)
    assert span.start <= times[0]
    assert times[-1] < span.end


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_one_type_alone(event_type: str) -> None:
    found = events(replace(WEEK, events=500, event_type=event_type))
    assert {event["event_type"] for event in found} == {event_type}


def test_types_and_regions_have_their_shares(week: list[dict[str, Any]]) -> None:
    types = shares([event["event_type"] for event in week])
    expected = {
        "page_view": 0.46, "user_action": 0.27, "transaction": 0.1, "error": 0.03, "system_metric": 0.14
    }  # fmt: skip
    assert types == pytest.approx(expected, rel=0.25)
    regions = shares([event["data"]["region"] for event in week])
    assert regions == pytest.approx({region.name: region.share for region in REGIONS}, rel=0.03)


def test_evenings_are_busier_than_mornings_where_the_users_are(week: list[dict[str, Any]]) -> None:
    for region in REGIONS:
        views = [view for view in data_of(week, "page_view") if view["region"] == region.name]
        hours = Counter((view["time"] + timedelta(hours=region.ahead)).hour for view in views)
        evening, morning = (sum(hours[hour] for hour in several) for several in ((19, 20, 21), (5, 6, 7)))
        assert evening > 2.5 * morning


def test_weekends_are_for_buying_and_working_days_for_work(week: list[dict[str, Any]]) -> None:
    def weekend(event_type: str) -> float:
        days = [(one["time"] + timedelta(hours=-6)).weekday() for one in data_of(week, event_type)]
        return sum(day >= 5 for day in days) / 2 / (sum(day < 5 for day in days) / 5)

    assert weekend("transaction") > 1.15
    assert weekend("user_action") < 0.9
    assert weekend("system_metric") == pytest.approx(1, abs=0.05)


def test_latency_and_errors_rise_with_the_load(week: list[dict[str, Any]]) -> None:
    metrics = data_of(week, "system_metric")
    columns = np.array([[one["cpu"], one["value"], one["error_rate"]] for one in metrics])
    correlations = np.corrcoef(columns.T)
    assert correlations.min() > 0.6

    def hours(event_type: str) -> Counter[datetime]:
        far = [one for one in data_of(week, event_type) if one["region"] == "us-east"]
        return Counter(one["time"].replace(minute=0, second=0, microsecond=0) for one in far)

    views, errors = hours("page_view"), hours("error")
    by_load = sorted(views, key=views.__getitem__)
    third = len(by_load) // 3
    assert sum(errors[hour] for hour in by_load[-third:]) > 3 * sum(errors[hour] for hour in by_load[:third])


def test_amounts_are_log_normal_by_currency_and_differ_by_user(week: list[dict[str, Any]]) -> None:
    logs = defaultdict(list)
    by_user = defaultdict(list)
    for one in data_of(week, "transaction"):
        logs[one["currency"]].append(np.log(one["amount"] / one["items"]))
        by_user[one["user_id"]].append((one["currency"], np.log(one["amount"] / one["items"])))
    dollars = logs["USD"]
    assert abs(fmean(dollars) - median(dollars)) < 0.03 * stdev(dollars)
    assert median(logs["INR"]) - median(dollars) > 3
    several = [paid for paid in by_user.values() if len(paid) > 4]
    assert len(several) > 50
    assert all(len({currency for currency, _ in paid}) == 1 for paid in several)
    own = fmean(stdev([log for _, log in paid]) for paid in several if paid[0][0] == "USD")
    assert own < 0.8 * stdev(dollars)


def test_users_look_then_act_then_pay(week: list[dict[str, Any]]) -> None:
    sessions = defaultdict(lambda: defaultdict(list))
    people = defaultdict(set)
    for event_type in ("page_view", "user_action", "transaction"):
        for one in data_of(week, event_type):
            sessions[one["session_id"]][event_type].append(one["time"])
            people[one["session_id"]].add((one["user_id"], one["region"]))
    assert all(len(who) == 1 for who in people.values())
    assert len({user for who in people.values() for user, _ in who}) < len(people) / 2
    whole = [one for one in sessions.values() if len(one) == 3]
    assert len(whole) > 0.3 * len(sessions)
    lengths = [max(one["transaction"]) - min(one["page_view"]) for one in whole]
    assert timedelta(minutes=4) < median(lengths) < max(lengths) < timedelta(minutes=45)
    in_order = [min(one["page_view"]) < min(one["user_action"]) < min(one["transaction"]) for one in whole]
    assert fmean(in_order) > 0.6
    assert fmean(max(one["page_view"]) < max(one["transaction"]) for one in whole) > 0.95

"""Figures, percentiles and the files that keep results."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.events import event_texts, packed
from bench.machine import Machine
from bench.options import parse
from bench.percentiles import percentile
from bench.report import Figure, Kept, Result, at_least, at_most, keep, table

MACHINE = Machine("Intel(R) Xeon(R) Processor", 2, 24.0, "Linux 6", "3.13.0")


def kept(benchmark: str, value: float) -> Kept:
    result = Result()
    result.add("rate", value, "events/s", at_least(100))
    result.notes.append("a note")
    return Kept(benchmark, "python -m bench", "2026-01-02T03:04Z", "abc", 1.0, 0.1, 50.0, result)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0], 0.99, 3.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([float(n) for n in range(1, 101)], 0.99, 99.0)],
)
def test_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(percentile([], 0.5))


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 100, "x", at_least(100)), "met"),
        (Figure("a", 99, "x", at_least(100)), "missed"),
        (Figure("a", 100, "x", at_most(100)), "met"),
        (Figure("a", 101, "x", at_most(100)), "missed"),
        (Figure("a", 1, "x"), ""),
    ],
)
def test_verdict(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_table_shows_goal_and_verdict() -> None:
    [line] = table([Figure("rate", 250_000, "events/s", at_least(300_000))])
    assert line.split() == ["rate", "250,000", "events/s", "≥", "300,000", "missed"]


def test_results_of_a_day_are_merged(tmp_path: Path) -> None:
    keep(tmp_path, MACHINE, [kept("one", 1), kept("two", 2)])
    path = keep(tmp_path, MACHINE, [kept("one", 300)])
    assert path.name == "2026-01-02-intel-xeon-2-cores.json"
    found = {entry["benchmark"]: entry for entry in json.loads(path.read_text())["benchmarks"]}
    assert found["one"]["result"]["figures"][0]["value"] == 300
    assert found["one"]["result"]["figures"][0]["verdict"] == "met"
    assert found["two"]["result"]["figures"][0]["verdict"] == "missed"
    page = path.with_suffix(".md").read_text()
    assert "| rate | 300 events/s | ≥ 100 | met |" in page
    assert "- a note" in page


def test_events_are_as_long_as_the_goals_say() -> None:
    texts = list(event_texts("transaction", "plain", 1001))
    assert len(texts) == 1001
    assert all(150 <= len(text) <= 170 for text in texts)
    assert len({json.loads(text)["event_id"] for text in texts}) == 1001


def test_packs_hold_every_event_once() -> None:
    packs = [json.loads(pack) for pack in packed(iter(event_texts("transaction", "p", 25)), 10)]
    assert [len(pack) for pack in packs] == [10, 10, 5]
    assert len({event["event_id"] for pack in packs for event in pack}) == 25


def test_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["one", "two"], ["three"])
    assert "no such benchmark: three; there are one, two" in capsys.readouterr().err


def test_all_benchmarks_run_when_none_is_named() -> None:
    names, options = parse(["one", "two"], ["--rows", "10", "5"])
    assert names == ["one", "two"]
    assert options.rows == (5, 10)

"""The benchmark's scores, against cases worked out by hand."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path

import pytest

from bench.anomalies.__main__ import main
from bench.anomalies.scoring import LOW_FN, LOW_FP, PROFILES, STANDARD, Profile, at_threshold, best
from bench.anomalies.series import Series, read_folder


def series(points: int, *windows: tuple[int, int], name: str = "one.csv") -> Series:
    times = [60.0 * place for place in range(points)]
    return Series(name, times, times, [("", "")] * points, windows)


def alarms(points: int, *places: int) -> list[float]:
    return [1.0 if place in places else 0.0 for place in range(points)]


def sigmoid(place: float) -> float:
    return 2 / (1 + math.exp(5 * place)) - 1


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_silence_is_zero_and_the_first_point_of_each_window_a_hundred(profile: Profile) -> None:
    one = series(1000, (300, 399), (600, 699))
    assert at_threshold([(one, alarms(1000))], profile, 0.5) == 0
    value, threshold = best([(one, alarms(1000, 300, 600))], profile)
    assert value == pytest.approx(100)
    assert threshold == 1.0


def test_what_a_late_alarm_a_false_one_and_a_missed_window_count() -> None:
    one = series(1000, (300, 399), (600, 699))
    found = at_threshold([(one, alarms(1000, 200, 350, 450))], STANDARD, 0.5)
    late = sigmoid(-50 / 100) / sigmoid(-1)
    total = late - 0.11 + 0.11 * sigmoid(51 / 99) - 1.0
    assert found == pytest.approx(100 * (total + 2) / 4)


def test_only_the_best_alarm_in_a_window_counts() -> None:
    one = series(1000, (300, 399))
    both = at_threshold([(one, alarms(1000, 340, 380))], STANDARD, 0.5)
    assert both == at_threshold([(one, alarms(1000, 340))], STANDARD, 0.5)


def test_the_probation_does_not_count() -> None:
    assert series(1000).probation == 150
    assert series(100_000).probation == 750
    one = series(1000, (300, 399))
    assert at_threshold([(one, alarms(1000, 100, 300))], STANDARD, 0.5) == pytest.approx(100)


def test_profiles_weigh_differently() -> None:
    one = series(1000, (300, 399))
    noisy = [(one, alarms(1000, 200, 300))]
    assert at_threshold(noisy, LOW_FP, 0.5) < at_threshold(noisy, STANDARD, 0.5)
    missed = [(series(1000, (300, 399), (600, 699)), alarms(1000, 300))]
    assert at_threshold(missed, LOW_FN, 0.5) == pytest.approx(50)


def test_the_best_threshold_is_one_for_all_series() -> None:
    quiet, loud = series(1000, (300, 399)), series(1000, (600, 699), name="other.csv")
    first = [0.0] * 1000
    first[300] = 0.6
    second = [0.0] * 1000
    second[200], second[600] = 0.7, 0.9
    value, threshold = best([(quiet, first), (loud, second)], STANDARD)
    assert threshold == 0.6
    assert value == pytest.approx(100 * (4 - 0.11) / 4)


def test_a_folder_is_scored_and_every_point_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    (data / "made").mkdir(parents=True)
    chance = random.Random(1)
    values = [round(chance.gauss(10, 1), 3) for _ in range(2000)]
    values[1200] = 500.0
    rows = [
        (f"2026-01-{1 + place // 1440:02} {place // 60 % 24:02}:{place % 60:02}:00", value)
        for place, value in enumerate(values)
    ]
    (data / "made/spike.csv").write_text("timestamp,value\n" + "".join(f"{t},{v}\n" for t, v in rows))
    window = ["2026-01-01 19:50:00.000000", "2026-01-01 20:20:00.000000"]
    (data / "anomaly_windows.json").write_text(json.dumps({"made/spike.csv": [window]}))
    assert main(["--data", str(data), "--out", str(out)]) == 0
    with (out / "made/spike.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["timestamp"], float(row["value"])) for row in written] == rows
    scores = [float(row["score"]) for row in written]
    assert scores.index(max(scores)) == 1200
    assert set(scores[:300]) == {0.0}
    printed = capsys.readouterr().out
    assert "standard" in printed
    assert "µs a point" in printed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "no series"),
        ("timestamp,value\n2026-01-01,x\n", "no series"),
        ("timestamp,value\n", "fewer than two points"),
    ],
)
def test_a_file_that_is_no_series_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "wrong.csv").write_text(content)
    with pytest.raises(ValueError, match=said):
        read_folder(tmp_path)


def test_an_empty_folder_says_what_to_give(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "DATA=<folder>" in capsys.readouterr().err

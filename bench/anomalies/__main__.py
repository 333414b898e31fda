"""`make bench-anomalies DATA=<folder> OUT=<folder>`: runs the detector over each series, and scores it."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.anomalies.scoring import PROFILES, STANDARD, at_threshold, best
from bench.anomalies.series import Series, read_folder
from bench.machine import this_machine
from shared.anomalies.detector import ALARM, SurpriseDetectors

_SHARED = Path(__file__).parents[3] / "shared/data/nab"

type Scored = list[tuple[Series, list[float]]]


def main(line: Sequence[str] | None = None) -> int:
    """Writes each series' scores and prints what they come to; 2 where the data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m bench.anomalies", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=_SHARED, help="folder with series and anomaly_windows.json"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the scores, <series>.csv each")
    given = parser.parse_args(line)
    try:
        series = read_folder(given.data)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    scored: Scored = []
    state, seconds = 0, 0.0
    for number, one in enumerate(series, 1):
        scores, size, took = score(one)
        write(given.out, one, scores)
        scored.append((one, scores))
        state, seconds = max(state, size), seconds + took
        print(f"\r{number} of {len(series)} series", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    points = sum(len(one.times) for one in series)
    print(f"{this_machine()}")
    print(f"{len(series)} series, {points:,} points")
    print(f"{seconds / points * 1e6:.1f} µs a point, at most {state:,} bytes of state a series")
    print_scores([(one, scores) for one, scores in scored if one.windows is not None])
    return 0


def score(series: Series) -> tuple[list[float], int, float]:
    """The score of each point (zero in the warm-up and in an alarm's quiet time), the largest state in bytes,
    and the seconds that it took."""
    detector = SurpriseDetectors().new(series.interval, max(series.probation, 1))
    scores = []
    began = time.process_time()
    for moment, value in zip(series.times, series.values, strict=True):
        verdict = detector.judge(moment, value)
        scores.append(0.0 if verdict.quiet else verdict.score)
    took = time.process_time() - began
    return scores, len(detector.dump()), took


def write(folder: Path, series: Series, scores: Sequence[float]) -> None:
    """`timestamp,value,score`, a row for each point."""
    path = folder / series.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value", "score"))
        rows.writerows((*texts, f"{points:.6g}") for texts, points in zip(series.texts, scores, strict=True))


def print_scores(scored: Scored) -> None:
    """The benchmark's scores: of all series, and of each half of the files by itself and by the other's
    threshold."""
    if not any(one.windows for one, _ in scored):
        print("no labelled windows: nothing to score")
        return
    for profile in PROFILES:
        value, threshold = best(scored, profile)
        fixed = at_threshold(scored, profile, ALARM)
        print(f"{profile.name:>10}: {value:.1f} at {threshold:.2f}; {fixed:.1f} at the alarm of {ALARM}")
    halves = scored[::2], scored[1::2]
    if all(any(one.windows for one, _ in half) for half in halves):
        print_half("first", halves[0], halves[1])
        print_half("second", halves[1], halves[0])


def print_half(name: str, chosen: Scored, other: Scored) -> None:
    """The standard score of one half of the files, and of the other by the threshold that is best for it."""
    value, threshold = best(chosen, STANDARD)
    fixed, held = at_threshold(chosen, STANDARD, ALARM), at_threshold(other, STANDARD, threshold)
    print(
        f"{name} half of the files: {fixed:.1f} at the alarm of {ALARM}; "
        f"{value:.1f} at {threshold:.2f}, which gives the other half {held:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())

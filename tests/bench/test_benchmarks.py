"""Every benchmark works, on very little: that the figures are there, not what they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.tools import PROJECT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

COUNTS = [
    "--events=2000",
    "--seconds=0.5",
    "--probes=2",
    "--queries=2",
    "--rows=1000",
    "--count=1",
    "--files=2400",
    "--readings=2000",
    "--sensors=100",
    "--final-files=0",
    "--series=20",
]
SMALL = [*COUNTS, "--timeout=200", "--no-peers"]


def run(folder: Path, *names: str) -> dict[str, dict[str, float]]:
    """The figures of the named benchmarks."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *names, *SMALL, f"--results={folder}"],
        cwd=PROJECT,
        timeout=230,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = folder.glob("*.json")
    found = json.loads(path.read_text())["benchmarks"]
    return {
        one["benchmark"]: {figure["what"]: figure["value"] for figure in one["result"]["figures"]}
        for one in found
    }


def test_the_cheap_ones(tmp_path: Path) -> None:
    found = run(tmp_path, "import", "trigger", "platform", "scan")
    assert found["import"]["heavy modules in it"] == 0
    assert found["trigger"]["plain, 1,000 messages: invocation"] > 0
    assert found["platform"]["raw body: added to a bare function"] > 0
    assert found["scan"]["series"] == 5 * (1 + 2) * 2
    assert found["scan"]["state of a series, largest"] <= 24 * 1024


def test_a_backlog_is_worked_off_and_counted(tmp_path: Path) -> None:
    found = run(tmp_path, "topic-to-table")
    assert found["topic-to-table"]["plain: Floe"] > 0
    assert found["topic-to-table"]["packed: Floe"] > 0


def test_what_is_sent_over_http_is_taken_and_found(tmp_path: Path) -> None:
    found = run(tmp_path, "http", "visibility", "queries")
    assert found["http"]["events acknowledged"] == found["http"]["events committed"] > 0
    assert found["visibility"]["acknowledged to visible: p50"] > 0


def test_nothing_is_lost_or_doubled_by_a_kill(tmp_path: Path) -> None:
    found = run(tmp_path, "kills")
    assert found["kills"]["acknowledged events"] > 0
    assert (found["kills"]["lost rows"], found["kills"]["doubled rows"]) == (0, 0)


def test_tables_of_many_files_are_made_and_read(tmp_path: Path) -> None:
    found = run(tmp_path, "log-scale")["log-scale"]
    assert found["2,400 files of a sensor's hour: opening"] > 0
    assert found["24 files of an asset's hour: one sensor's day, later"] > 0


def test_readings_reach_the_cold_tier_and_are_read_back(tmp_path: Path) -> None:
    found = run(tmp_path, "sensors")["sensors"]
    assert found["100 sensors, 24 h, a file an asset's hour: final: files"] == 24
    for codec in ("null", "deflate"):
        assert found[f"100 sensors, 24 h: Capture's files, {codec}: files"] == 24 * 12
    assert found["100 sensors, 24 h, a file an asset's hour: clean-up two hours later: files deleted"] >= 24
    for way in ("HTTP", "DataFusion", "DuckDB"):
        assert found[f"100 sensors, 24 h, a file an asset's hour: a sensor's 20 readings, {way}: p50"] > 0

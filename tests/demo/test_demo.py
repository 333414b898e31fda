"""The demo as one starts it, with few points, on a running stack and without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.home import Home
from devstack.ports import free_port
from tests.stack.running import PROJECT, RunningStack

pytestmark = pytest.mark.stack


def demo(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo to its end."""
    return subprocess.run(
        [sys.executable, "-m", "devstack.demo", "--rate", "0", *arguments],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_numbers_agree_and_a_second_run_counts_its_own(stack: RunningStack) -> None:
    for points in ("300", "200"):
        done = demo(stack.environment, "--points", points)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"The numbers agree: {points} events" in done.stdout


def test_late_data_agrees_too(stack: RunningStack, tmp_path: Path) -> None:
    lines = "".join(
        f"2014-02-{day:02} 03:0{minute}:00,{day}\n" for day in range(1, 29) for minute in range(3)
    )
    (tmp_path / "old.csv").write_text("timestamp,value\n" + lines)
    done = demo(stack.environment, "--data", str(tmp_path), "--original-times")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "84 readings of 1 real series" in done.stdout
    assert "from 2014-02-01 03:00 to 2014-02-28 03:02 UTC" in done.stdout


def test_ends_with_three_lines_to_copy(stack: RunningStack, tmp_path: Path) -> None:
    said = demo(stack.environment, "--points", "50", "--data", str(tmp_path)).stdout
    query, reader, files = said.splitlines()[-3:]
    assert f"curl -s '{stack.info['http_url']}/api/events?event_type=system_metric" in query
    assert "pl.scan_delta" in reader
    assert "/events-cold-storage/raw/system_metric/" in files
    answer = subprocess.run(
        ["bash", "-c", query.removeprefix("query:")], capture_output=True, text=True, check=True
    )
    assert '"count":3' in answer.stdout


def test_starts_a_stack_of_its_own_where_none_runs(stack: RunningStack, tmp_path: Path) -> None:
    own = {**stack.environment, "FLOE_HOME": str(tmp_path), "FLOE_PORT": str(free_port())}
    done = demo(own, "--points", "50")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no stack runs in" in done.stdout
    assert "The numbers agree: 50 events" in done.stdout
    assert not (tmp_path / "stack.json").exists()


def test_waits_for_a_stack_that_is_starting(stack: RunningStack, tmp_path: Path) -> None:
    with Home(tmp_path).locked():
        waiting = subprocess.Popen(
            [sys.executable, "-m", "devstack.demo", "--rate", "0", "--points", "50"],
            cwd=PROJECT,
            env={**stack.environment, "FLOE_HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert waiting.stdout is not None
        assert "a stack is starting" in waiting.stdout.readline()
        (tmp_path / "stack.json").write_text((stack.home / "stack.json").read_text())
        said, _ = waiting.communicate(timeout=60)
    assert "The numbers agree: 50 events" in said


def test_says_why_no_stack_can_be_started(stack: RunningStack, tmp_path: Path) -> None:
    taken = {**stack.environment, "FLOE_HOME": str(tmp_path)}
    done = demo(taken, "--points", "50")
    assert done.returncode == 1
    assert "is taken by" in done.stderr
    assert "none could be started" in done.stderr

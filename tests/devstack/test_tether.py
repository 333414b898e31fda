"""A tethered command takes the process over, and ends with its starter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from devstack import tether
from tests.stack.processes import survivors

TETHER = tether.__file__
STARTER = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, {tether!r}, str(os.getpid()), "9", "sleep", "60"])
print(child.pid, flush=True)
child.wait()
"""


def test_command_ends_when_its_starter_is_killed() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER.format(tether=TETHER)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert survivors([pid], within=0) == [pid]
    starter.kill()
    starter.wait()
    starter.stdout.close()
    assert survivors([pid], within=5) == []


def test_command_does_not_start_when_its_starter_is_gone(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = subprocess.run(
        [sys.executable, TETHER, str(gone.pid), str(int(signal.SIGKILL)), "touch", str(proof)]
    )
    assert done.returncode == 1
    assert not proof.exists()


def test_command_keeps_the_process_id() -> None:
    command = [sys.executable, TETHER, str(os.getpid()), "15", "sh", "-c", "echo $$"]
    shell = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed, _ = shell.communicate()
    assert int(printed) == shell.pid

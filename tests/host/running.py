"""Hosts in processes of their own, and waiting for what they do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent / "apps"
ROOT = Path(__file__).parents[2]


def wait_until[Result](what: Callable[[], Result], seconds: float = 20.0) -> Result:
    """The first true result; fails when the seconds are over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds:g} s in vain")


class RunningHost:
    """`python -m devstack.host` for one app."""

    def __init__(
        self, app: Path, folder: Path, kafka: str = "127.0.0.1:1", port: int = 0, **settings: str
    ) -> None:
        """`folder` takes the logs, the functions' report and their mood; hosts may share one."""
        self.report_path = folder / "report.jsonl"
        self.mood_path = folder / "mood"
        self._log_path = folder / f"host-{time.monotonic_ns()}.log"
        environment = os.environ | {
            "DEPOT_REPORT": str(self.report_path),
            "DEPOT_MOOD": str(self.mood_path),
            **settings,
        }
        command = [
            sys.executable,
            "-m",
            "devstack.host",
            "--app",
            str(app),
            "--port",
            str(port),
            "--kafka",
            kafka,
        ]
        with self._log_path.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def ready(self) -> "RunningHost":
        """Wait until it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("host ready http://"), f"{line!r}\n{self.log}"
        self.url = line.split()[-1]
        return self

    @property
    def log(self) -> str:
        """All it has logged."""
        return self._log_path.read_text()

    def reports(self, function: str, **fields: object) -> list[dict[str, Any]]:
        """What the function told so far, where these fields have these values."""
        lines = self.report_path.read_text().splitlines(keepends=True) if self.report_path.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("\n")]
        return [one for one in told if {**one, **fields, "function": function} == one]

    def set_mood(self, mood: str) -> None:
        """Tell the functions how to behave."""
        replacement = self.mood_path.with_suffix(".new")
        replacement.write_text(mood)
        replacement.replace(self.mood_path)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

"""A stack that a test starts, looks into, hurts and stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from devstack.ports import free_port

PROJECT = Path(__file__).parents[2]
_Seen = TypeVar("_Seen")


class RunningStack:
    """`python -m devstack` with a home and a port of its own; `info` is its stack.json as it is now."""

    def __init__(self, home: Path, settings: dict[str, str] | None = None) -> None:
        self.home = home
        own = {"FLOE_HOME": str(home), "FLOE_PORT": str(free_port())}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLOE_")}
        self.environment = {**inherited, **own, **(settings or {})}
        self.process: subprocess.Popen[str] | None = None

    def start(self, within: float = 110) -> RunningStack:
        """Starts it and waits until it is ready."""
        (self.home / "stack.json").unlink(missing_ok=True)
        self.launch()
        self.wait_until(self._is_ready, within, "stack.json")
        return self

    def launch(self, *command: str) -> RunningStack:
        """Starts it without waiting; its screen goes to `screen`."""
        with self._screen_file.open("a") as screen:
            self.process = subprocess.Popen(
                command or [sys.executable, "-m", "devstack"],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        if (code := self.process.poll()) is not None:
            raise AssertionError(f"the stack ended with {code}:\n{self.screen}")
        return (self.home / "stack.json").exists()

    @property
    def _screen_file(self) -> Path:
        return self.home / "screen.txt"

    @property
    def screen(self) -> str:
        """All that it has printed."""
        return self._screen_file.read_text()

    @property
    def info(self) -> dict[str, Any]:
        """stack.json as it is now: `http_url`, `kafka_bootstrap`, `api_key`, `pids` and so on."""
        return dict(json.loads((self.home / "stack.json").read_text()))

    def pid(self, name: str) -> int:
        """The process id of `supervisor`, `host`, `azurite` or `kafka`."""
        return int(self.info["pids"][name])

    @property
    def pids(self) -> list[int]:
        """All of them."""
        return [pid for pid in self.info["pids"].values() if pid is not None]

    def proc(self, name: str) -> Path:
        """What the system tells about one of the processes."""
        return Path("/proc", str(self.pid(name)))

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal to one of the processes; returns the pid that it had."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def wait_until(self, condition: Callable[[], _Seen], within: float = 30, what: str = "") -> _Seen:
        """Polls until `condition` gives something true, which it returns; shows the screen when it fails."""
        deadline = time.monotonic() + within
        while not (seen := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s: {what or condition}\n{self.screen}")
            time.sleep(0.05)
        return seen

    def stop(self, number: signal.Signals = signal.SIGTERM, within: float = 10) -> int | None:
        """Ends it as Ctrl-C or a service manager would; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.await_end(within)

    def await_end(self, within: float = 30) -> int:
        """Waits until it ends by itself; returns its exit code."""
        assert self.process is not None
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

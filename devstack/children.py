"""Processes of the stack: started in groups of their own, waited for until they answer, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

from devstack.home import Home, StackError
from devstack.ports import holds

_TETHER = str(Path(__file__).with_name("tether.py"))
_LOG_KEPT = 10 * 2**20
_ANSWERS_WITHIN = 60


class Service(Protocol):
    """What the stack can run: a command, and a way to see that it answers."""

    name: str
    # Sent by the system when the supervisor is killed.
    orphan_signal: signal.Signals

    @property
    def listens_on(self) -> Sequence[int]:
        """Ports that the process itself holds once it serves, where they are known before."""

    def choose_ports(self) -> bool:
        """Takes free ports in place of those that are taken; whether there were any."""

    async def prepare(self) -> None:
        """Brings its files in order; runs before every start."""

    def command(self) -> Sequence[str]:
        """The command line."""

    def environment(self) -> dict[str, str]:
        """All of its environment variables."""

    def answers(self, output: str) -> bool:
        """Whether it serves; `output` is what it printed since its start. Blocks for a second at most."""


class ChildFailedError(StackError):
    """A child ended before it answered, or did not answer in time."""


class Child:
    """One run of a service; ends with the process that started it."""

    def __init__(self, service: Service, home: Home, keep_open: Sequence[int] = ()) -> None:
        self.service = service
        self.log = home.logs / f"{service.name}.log"
        self._home = home
        self._keep_open = keep_open
        self._log_start = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Starts the process; it need not answer yet."""
        await self.service.prepare()
        _keep_log_small(self.log)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *_tethered(self.service.orphan_signal, self.service.command()),
                env=self.service.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                pass_fds=self._keep_open,
            )

    async def answered(self) -> None:
        """Returns once the service answers; raises ChildFailedError when it ends before or takes too long."""
        deadline = time.monotonic() + _ANSWERS_WITHIN
        while not await asyncio.to_thread(self._answers):
            with contextlib.suppress(TimeoutError):
                raise self._failed(f"ended with {reason(await asyncio.wait_for(self.wait(), 0.05))}")
            if time.monotonic() > deadline:
                raise self._failed(f"did not answer within {_ANSWERS_WITHIN} s")

    def _answers(self) -> bool:
        """Whether it serves, and no other process that took its port a moment before it."""
        pid = self.pid
        if pid is None or not self.service.answers(self.output()):
            return False
        return all(holds(pid, port) for port in self.service.listens_on)

    def _failed(self, what: str) -> ChildFailedError:
        return ChildFailedError(f"{self.service.name} {what}; the end of {self.log}:\n{_tail(self.output())}")

    def output(self) -> str:
        """What the process has printed so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait(self) -> int:
        """Waits for the end; returns the exit code, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, patience: float) -> None:
        """SIGTERM, then SIGKILL to the whole group after `patience` seconds."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.wait(), patience)
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.wait()


async def run_to_end(command: Sequence[str], output: int | None = subprocess.PIPE) -> tuple[int, str]:
    """Runs a command; returns its exit code and what it printed to `output`. Ends with the caller."""
    process = await asyncio.create_subprocess_exec(
        *_tethered(signal.SIGKILL, command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode or 0, (printed or b"").decode(errors="replace")


async def together(*steps: Coroutine[Any, Any, None]) -> None:
    """Runs all at once; when one fails the others are cancelled and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def reason(code: int) -> str:
    """An exit code in words."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _tethered(orphan_signal: signal.Signals, command: Sequence[str]) -> list[str]:
    return [sys.executable, "-S", _TETHER, str(os.getpid()), str(int(orphan_signal)), *command]


def _keep_log_small(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_KEPT:
        log.replace(log.with_suffix(".log.1"))


def _tail(text: str, lines: int = 15) -> str:
    return "\n".join("    " + line for line in text.splitlines()[-lines:])

"""A backlog worked off: from the start of the host until every row is committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bench.events import Backlog
from bench.http_client import Api
from bench.lake import DeltaLog, Landing
from bench.processes import CpuMeter, cpu_seconds, memory
from bench.stack import Stack

_POLL = 0.02
_LOOK_EVERY = 0.25


@dataclass
class WorkedOff:
    """How a backlog was worked off: wall seconds from the first landing, CPU seconds by process, MB."""

    seconds: float
    landed_seconds: float
    cpu: dict[str, float]
    commits: int
    peak: float
    memory: list[tuple[float, float]] = field(default_factory=list)


def work_off(stack: Stack, backlog: Backlog, log: DeltaLog, timeout: float) -> WorkedOff:
    """Starts the host, waits until the table holds the whole backlog, and stops the host.

    The flush timer works all the time; when everything has landed, one POST /storage/flush asks for the
    rest. The host's CPU time counts from its start.
    """
    log.follow()
    key = backlog.topic.removeprefix("events.")
    target, commits = log.rows[key] + backlog.events, log.commits
    landing = Landing(stack.account, backlog.topic)
    services = CpuMeter(stack.pids)
    stack.start_host()
    watch = _Watch(stack.pids["host"])
    deadline = time.monotonic() + timeout
    while not (landing.rows() or _committed(log, key) > target - backlog.events):
        _wait(deadline, watch)
    began = landed = time.monotonic()
    looked = 0.0
    flushed = False
    while (done := _committed(log, key)) < target:
        now = time.monotonic()
        if not flushed and now - looked > _LOOK_EVERY:
            looked = now
            if done + landing.rows() >= target:
                landed, flushed = now, True
                Api(stack.url).flush()
                continue
        _wait(deadline, watch)
    seconds = time.monotonic() - began
    watch.look()
    cpu = {**services.read(), "host": cpu_seconds(stack.pids["host"])}
    stack.stop_host()
    return WorkedOff(seconds, landed - began, cpu, log.commits - commits, watch.peak, watch.series)


def _committed(log: DeltaLog, key: str) -> int:
    log.follow()
    return log.rows[key]


class _Watch:
    """Looks at the host's memory now and then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = self._looked = time.monotonic()
        self.peak = 0.0
        self.series: list[tuple[float, float]] = []

    def look(self) -> None:
        seen = memory(self._pid)
        self._looked = time.monotonic()
        self.peak = max(self.peak, seen.peak)
        self.series.append((round(self._looked - self._began, 1), round(seen.now)))

    def look_when_due(self) -> None:
        if time.monotonic() - self._looked > 0.5:
            self.look()


def _wait(deadline: float, watch: _Watch) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError("the backlog was not worked off in time")
    watch.look_when_due()
    time.sleep(_POLL)

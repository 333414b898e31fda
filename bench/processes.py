"""What processes use, as Linux accounts for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants, those that have ended included; 0 when it is gone."""
    return sum(_ticks(one) for one in _tree(pid)) / _TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(field) for field in fields[11:15])


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:
            continue
        for child in found:
            yield from _tree(int(child))


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB: now, and at its highest."""

    now: float
    peak: float


def memory(pid: int) -> Memory:
    """The resident memory of one process."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return Memory(_megabytes(fields["VmRSS"]), _megabytes(fields["VmHWM"]))


def _megabytes(field: str) -> float:
    return int(field.split()[0]) / 1024


class CpuMeter:
    """CPU seconds of named processes since its making."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = {name: cpu_seconds(pid) for name, pid in pids.items()}

    def read(self) -> dict[str, float]:
        """CPU seconds so far, by name."""
        return {name: cpu_seconds(pid) - self._before[name] for name, pid in self._pids.items()}


class Bystanders:
    """How busy others kept the machine: all CPU time less that of this process and its descendants."""

    def __init__(self) -> None:
        self._before = self._now()

    def share(self) -> float:
        """Their part of all cores since the making, from 0 to 1."""
        total, busy, own = (now - before for now, before in zip(self._now(), self._before, strict=True))
        return max(0.0, busy - own) / total if total else 0.0

    @staticmethod
    def _now() -> tuple[float, float, float]:
        user, nice, system, idle, wait, *rest = map(
            int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        )
        busy = user + nice + system + sum(rest)
        return (busy + idle + wait) / _TICKS, busy / _TICKS, cpu_seconds(os.getpid())


def reference_ms() -> float:
    """CPU milliseconds of a fixed piece of work: more than usual means that CPU times of a run are inflated,
    by a crowded cache or a slower clock."""
    text = b'{"event_id":"e-1","data":{"user_id":"user_1","value":1},"tags":["a","b","c"]}'
    began = time.process_time()
    for _ in range(100_000):
        msgspec.json.decode(text)
    return 1000 * (time.process_time() - began)

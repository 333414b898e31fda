"""The anomaly scan: what a minute of many series costs, and a start."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.options import Options
from bench.report import Result, at_most
from shared.streams.events import EVENT_TYPES

_HISTORY = 60
_MINUTES = 3
_SINCE_CHECKPOINT = 10


def measure(options: Options) -> Result:
    """Scans minute by minute, storage being in memory; then a new instance starts from a checkpoint."""
    from bench.scan_world import World

    world = World(max(1, options.series // (2 * len(EVENT_TYPES))))
    scan = world.instance()
    world.pass_minutes(_HISTORY)
    scan.run()
    steady = []
    for _ in range(_MINUTES):
        world.pass_minutes(1)
        steady.append(_timed(lambda: scan.run().series))
    series = steady[0][2]
    states = [state for pair in scan.states().values() for state in (pair.count, pair.mean)]
    world.pass_minutes(_SINCE_CHECKPOINT)
    start = _timed(lambda: world.instance().run().series)
    result = Result()
    result.add("series", series, "")
    result.add("a steady minute, CPU", min(cpu for _, cpu, _ in steady), "s", at_most(60))
    result.add("a steady minute, wall", min(wall for wall, _, _ in steady), "s", at_most(60))
    result.add(f"a start {_SINCE_CHECKPOINT} minutes behind, CPU", start[1], "s")
    result.add("state of a series, largest", max(map(len, states)), "bytes", at_most(24 * 1024))
    result.add("states in memory", sum(map(len, states)) / 2**20, "MiB")
    result.notes.append("Storage is in memory; the minutes are grouped as the reader of roll-ups does.")
    return result


def _timed(work: Callable[[], int]) -> tuple[float, float, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return time.perf_counter() - wall, time.process_time() - cpu, done

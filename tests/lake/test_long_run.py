"""Two days of a plant on a simulated clock: late data, a clock that jumps, hours that end under load, two
instances that work at once, and a reader that asks all the time."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from shared.lake.flush import FlushLimits
from shared.lake.ports import BlobGone
from shared.platform.errors import LeaseHeld
from shared.query.wanted import microseconds
from shared.streams.readings import READINGS
from tests.lake.rows import NOON, SECOND
from tests.lake.test_upload import land_readings
from tests.lake.world import UPLOAD, World

_STEP = timedelta(minutes=20)
_STEPS = 2 * 24 * 3
# Around the night in which clocks are put back in much of Europe.
_START = datetime(2025, 10, 25, tzinfo=UTC)
# Jumps of the clock (hours) at these steps, each undone six steps later.
_JUMPS = {40: 30, 90: -5, 125: 2}


class Reader:
    """Reads all the time: no row twice, none that was there is missing, each that was flushed is there."""

    def __init__(self, world: World) -> None:
        self.reads = 0
        self.flushed: set[int] = set()
        self.problems: list[str] = []
        self._world = world
        self._seen: set[int] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            before = set(self.flushed)
            try:
                found = Counter(row[2] for row in self._world.visible(READINGS).elements())
            except BlobGone as gone:
                # Of a version that is older than removed files stay, after a jump of the clock: the newest
                # does not name it.
                if str(gone).removeprefix(f"{READINGS.container}/") in self._world.paths(READINGS):
                    self.problems.append(f"named and gone: {gone}")
                continue
            if doubled := [seq for seq, count in found.items() if count > 1]:
                self.problems.append(f"doubled: {doubled[:5]}")
            if missing := (before | self._seen) - found.keys():
                self.problems.append(f"missing: {sorted(missing)[:5]}")
            self._seen |= found.keys()
            self.reads += 1

    def end(self) -> None:
        self._over.set()


def readings_at(now: datetime, step: int, chance: random.Random) -> list[tuple[str, int]]:
    """What a step brings: up to the minute, across the hour's end, and now and then late by hours or days."""
    at = microseconds(now) - NOON
    found = [(f"s{chance.randrange(4)}", at - chance.randrange(1200) * SECOND) for _ in range(6)]
    if step % 5 == 0:
        found += [("s0", at - chance.randrange(1, 50) * 3600 * SECOND) for _ in range(2)]
    return found


def test_two_days() -> None:
    chance = random.Random(7)
    world = World()
    world.clock.now = _START
    reader = Reader(world)
    sent: dict[int, int] = {}
    flush = FlushLimits(rows=1000, bytes=2**30, files=3)
    upload = replace(UPLOAD, rows=200)
    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(reader.run)
        try:
            for step in range(_STEPS):
                jump = sum(hours for at, hours in _JUMPS.items() if at <= step < at + 6)
                world.clock.now = _START + step * _STEP + timedelta(hours=jump)
                brought = readings_at(_START + step * _STEP, step, chance)
                first = len(sent)
                land_readings(world, first, brought)
                sent |= {first + i: NOON + time for i, (_, time) in enumerate(brought)}
                works = [
                    pool.submit(attempt, lambda: world.flusher(flush).flush(READINGS, wait_seconds=10)),
                    pool.submit(work_at, world, step, upload),
                ]
                for work in works:
                    work.result()
                if not world.segments.list(READINGS):
                    reader.flushed = set(sent)
        finally:
            reader.end()
        reading.result()
    assert reader.problems == []
    assert reader.reads > 10
    check_the_end(world, sent)


def attempt(work: object) -> None:
    """Does it, or leaves it to who is at it."""
    with suppress(LeaseHeld):
        work()  # type: ignore[operator]


def work_at(world: World, step: int, upload: object) -> None:
    """What the other instance does: uploads every hour, cleans up every two."""
    if step % 3 == 1:
        attempt(lambda: world.uploader(upload).upload(READINGS, closed_only=True))  # type: ignore[arg-type]
    if step % 6 == 2:
        attempt(lambda: world.cleaner().clean(READINGS))


def check_the_end(world: World, sent: dict[int, int]) -> None:
    """Everything is there once, in the hours where it belongs, merged, and nothing is left beside."""
    world.clock.now = _START + timedelta(days=4)
    world.flusher().flush(READINGS)
    world.uploader().upload(READINGS, closed_only=False)
    for _ in range(2):
        world.clock.now += timedelta(days=2)
        world.cleaner().clean(READINGS)
    assert Counter(row[2] for row in world.committed(READINGS).elements()) == dict.fromkeys(sent, 1)
    assert world.stored(READINGS) == world.paths(READINGS)
    files: pa.Table = world.lake.table(READINGS).snapshot().files()
    assert not [path for path in files["path"].to_pylist() if path.startswith("raw/")]
    hours = Counter(time // (3600 * SECOND) for time in sent.values())
    rows: Counter[int] = Counter()
    for row in files.to_pylist():
        moment = datetime.fromisoformat(row["date"]).replace(hour=int(row["hour"]), tzinfo=UTC)
        rows[microseconds(moment) // (3600 * SECOND)] += row["rows"]
    assert rows == hours

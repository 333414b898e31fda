"""No count is doubled or lost while storage fails, or where a fold is killed."""

from __future__ import annotations

import random

import pytest

from shared.platform.errors import StorageUnavailable
from shared.platform.tables import Row
from shared.telemetry.recorder import fold
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.telemetry.test_recorder import Instance, clock, reports_in

__all__ = ["clock"]


class Flaky(MemoryTables):
    """Storage that fails before or after a write, by chance: the caller cannot tell whether it held."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.share = 0.0

    def _write(self, table: str, row: Row) -> Row:
        luck = self.chance.random()
        if luck < self.share / 2:
            raise StorageUnavailable("before")
        written = super()._write(table, row)
        if luck < self.share:
            raise StorageUnavailable("after")
        return written

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        if self.chance.random() < self.share:
            raise StorageUnavailable("before")
        super().delete(table, partition, key, etag)


@pytest.mark.parametrize("seed", range(40))
def test_no_count_is_doubled_or_lost_while_storage_fails_now_and_then(seed: int) -> None:
    chance = random.Random(seed)
    clock = ManualClock()
    tables = Flaky(chance)
    instances = [Instance(tables, clock) for _ in range(3)]
    counted = 0
    seen = 0.0
    for _ in range(60):
        tables.share = 0.4
        for act in chance.choices(["count", "write", "fold", "sleep", "restart"], [6, 4, 3, 2, 1], k=4):
            one = chance.choice(instances)
            try:
                if act == "count":
                    one.count(1)
                    counted += 1
                elif act == "write":
                    one.recorder.write()
                elif act == "fold":
                    fold(tables, clock)
                elif act == "sleep":
                    clock.advance(minutes=chance.choice([1, 20]))
                else:
                    tables.share = 0.0
                    one.recorder.write()
                    instances[instances.index(one)] = Instance(tables, clock)
                    tables.share = 0.4
            except StorageUnavailable:
                pass
        tables.share = 0.0
        now = instances[0].sees().get("small", 0)
        assert seen <= now <= counted
        seen = now
    for one in instances:
        one.recorder.write()
    assert instances[0].sees() == {"small": counted}


def test_a_fold_killed_at_any_call_counts_nothing_twice(clock: ManualClock) -> None:
    class Killed(BaseException):
        pass

    class Killing(MemoryTables):
        at: int | None = None

        def _called(self, what: str) -> None:
            super()._called(what)
            if self.at is not None and len(self.calls) > self.at:
                raise Killed

    calls = 0
    for at in range(100):
        tables = Killing()
        gone = [Instance(tables, clock) for _ in range(3)]
        for number, one in enumerate(gone, 1):
            one.count(number)
            one.recorder.write()
        clock.advance(minutes=16)
        tables.at = len(tables.calls) + at
        try:
            fold(tables, clock)
        except Killed:
            calls += 1
        else:
            break
        tables.at = None
        assert Instance(tables, clock).sees() == {"small": 6}
        fold(tables, clock)
        assert Instance(tables, clock).sees() == {"small": 6}
        assert reports_in(tables) == 0
    assert calls >= 8

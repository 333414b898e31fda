"""Keeps what this instance counts in a row of its own, and folds the rows of instances that are gone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

from shared.platform.clock import Clock
from shared.platform.state_tables import METRICS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables
from shared.telemetry.instruments import Totals
from shared.telemetry.last_minute import Minute, Produced
from shared.telemetry.reports import (
    RECENT,
    REPORTS,
    Folded,
    Report,
    Seen,
    read_base,
    read_report,
    report_row,
    reports,
    write_base,
)
from shared.telemetry.totals import added, without

# An instance that wrote nothing for so long is gone, or idle; an idle one starts another row when it wakes.
_GONE_AFTER = timedelta(minutes=15)
# How long the base row tells which reports are in it, after they are deleted.
_REMEMBERED = timedelta(hours=6)


class Recorder:
    """One for each process; thread-safe. Its methods block, and raise StorageUnavailable."""

    def __init__(
        self,
        tables: Callable[[], Tables],
        counted: Callable[[], Totals],
        produced: Callable[[], Minute],
        clock: Clock,
    ) -> None:
        """`counted` and `produced` give this process's numbers of now."""
        self._tables = tables
        self._counted = counted
        self._produced = produced
        self._clock = clock
        self._lock = Lock()
        self._key = _new_key()
        self._row: Row | None = None
        # What rows hold that this process can write no more, and what its own row holds.
        self._earlier: Totals = {}
        self._held: Totals = {}
        # Attempts to write of which nobody knows whether they held, by number.
        self._attempts: dict[int, Totals] = {}
        self._number = 0

    def write(self) -> bool:
        """Brings this instance's row up to date; False where nothing changed since the last time."""
        with self._lock:
            mine = without(self._counted(), self._earlier)
            if mine == self._held and not self._attempts:
                return False
            if not self._put(mine):  # a fold closed the row: what it holds is counted there
                self._start_anew()
                mine = without(self._counted(), self._earlier)
                if not self._put(mine):
                    raise RuntimeError(f"the new report {self._key} stands already")
            return True

    def seen(self) -> Seen:
        """What all instances counted, this one included, to the last request that it answered."""
        self.write()
        now = self._clock()
        listed = list(reports(self._tables()))  # before the base, which names what is folded meanwhile
        base = read_base(self._tables())
        counted = [report for report in listed if report.key not in base.folded]
        recent = [report for report in listed if now - report.updated_at < RECENT]
        produced = Produced()
        for report in recent:
            produced = produced.plus(report.produced.left((now - report.updated_at).total_seconds()))
        return Seen(added([base.totals, *(report.totals for report in counted)]), produced, len(recent))

    def _put(self, mine: Totals) -> bool:
        """Writes the row; False where it is closed or gone, and `_held` is what was counted of it."""
        if self._attempts and not self._find():
            return False
        self._number += 1
        self._attempts[self._number] = mine
        try:
            if self._row is None:
                self._row = self._tables().insert(METRICS, self._as_row(mine))
            else:
                self._row = self._tables().replace(METRICS, self._as_row(mine, self._row.etag))
        except (RowExists, RowChanged, RowGone):
            del self._attempts[self._number]
            return self._find() and self._put(mine)
        self._held, self._attempts = mine, {}
        return True

    def _find(self) -> bool:
        """Finds out what the row holds; False where it is closed or gone."""
        try:
            found = read_report(self._tables().get(METRICS, REPORTS, self._key))
        except RowGone:
            folded = read_base(self._tables()).folded.get(self._key)
            if folded is None and self._row is None:
                self._attempts = {}
                return True  # it was never written
            if folded is not None:
                self._held = self._attempts.get(folded.number, self._held)
            return False
        self._held, self._row, self._attempts = found.totals, found.row, {}
        return not found.closed

    def _start_anew(self) -> None:
        self._earlier = added([self._earlier, self._held])
        self._key, self._row, self._held, self._attempts = _new_key(), None, {}, {}

    def _as_row(self, mine: Totals, etag: str = "") -> Row:
        return report_row(self._key, self._number, mine, self._produced(), self._clock(), etag=etag)


def _new_key() -> str:
    return secrets.token_hex(8)


def fold(tables: Tables, clock: Clock) -> int:
    """Puts the reports of instances that are gone into the base row, each exactly once; how many.

    Safe on several instances at once, and under kills. Blocks; raises StorageUnavailable.
    """
    now = clock()
    base = read_base(tables)
    gone = [report for report in reports(tables) if report.closed or now - report.updated_at > _GONE_AFTER]
    closed = [done for report in gone if (done := _closed(tables, report)) is not None]
    fresh = [report for report in closed if report.key not in base.folded]
    if fresh:
        remembered = {key: one for key, one in base.folded.items() if now - one.when < _REMEMBERED}
        remembered |= {one.key: base.folded.get(one.key, Folded(now, one.number)) for one in closed}
        totals = added([base.totals, *(report.totals for report in fresh)])
        if not write_base(tables, base, totals, remembered):
            return 0  # another instance folds
    for report in closed:
        tables.delete(METRICS, report.row.partition, report.key)
    return len(fresh)


def _closed(tables: Tables, report: Report) -> Report | None:
    """`report`, closed; None where its instance wrote in between, or another fold took it."""
    if report.closed:
        return report
    row = report_row(
        report.key,
        report.number,
        report.totals,
        report.produced,
        report.updated_at,
        closed=True,
        etag=report.row.etag,
    )
    try:
        return read_report(tables.replace(METRICS, row))
    except (RowChanged, RowGone):
        return None

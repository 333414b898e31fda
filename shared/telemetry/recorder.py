"""Keeps what this instance counts in a row of its own, and folds the rows of instances that are gone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from threading import Lock

from shared.platform.clock import Clock
from shared.platform.errors import Unavailable
from shared.platform.state_tables import METRICS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables
from shared.telemetry.instruments import Totals
from shared.telemetry.last_minute import Produced
from shared.telemetry.reports import (
    RECENT,
    REPORTS,
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
        produced: Callable[[], Produced],
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
        # What rows hold that this process can write no more; what its own row holds, or may hold where unsure.
        self._earlier: Totals = {}
        self._held: Totals = {}
        self._unsure = False

    def write(self) -> bool:
        """Brings this instance's row up to date; False where nothing changed since the last time."""
        with self._lock:
            mine = without(self._counted(), self._earlier)
            if mine == self._held and not self._unsure:
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
            produced = produced.plus(report.produced)
        return Seen(added([base.totals, *(report.totals for report in counted)]), produced, len(recent))

    def _put(self, mine: Totals) -> bool:
        """Writes the row; False where it is closed or gone."""
        try:
            written = self._write_row(mine)
        except Unavailable:
            self._held, self._unsure = mine, True
            raise
        if written:
            self._held, self._unsure = mine, False
        return written

    def _write_row(self, mine: Totals) -> bool:
        try:
            if self._row is None:
                self._row = self._tables().insert(METRICS, self._as_row(mine))
            else:
                self._row = self._tables().replace(METRICS, self._as_row(mine, self._row.etag))
        except RowGone:
            return False
        except (RowExists, RowChanged):
            return self._write_again(mine)
        return True

    def _write_again(self, mine: Totals) -> bool:
        """The row is closed, or an earlier write held of which nobody knew."""
        try:
            found = read_report(self._tables().get(METRICS, REPORTS, self._key))
            if found.closed:
                self._held = found.totals
                return False
            self._row = self._tables().replace(METRICS, self._as_row(mine, found.row.etag))
        except (RowGone, RowChanged):
            return False
        return True

    def _start_anew(self) -> None:
        # Where the last write was unsure, the row may hold less: rather a few too few than any twice.
        self._earlier = added([self._earlier, self._held])
        self._key, self._row, self._held = _new_key(), None, {}

    def _as_row(self, mine: Totals, etag: str = "") -> Row:
        return report_row(self._key, mine, self._produced(), self._clock(), etag=etag)


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
        remembered = {key: when for key, when in base.folded.items() if now - when < _REMEMBERED}
        remembered |= {report.key: base.folded.get(report.key, now) for report in closed}
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
        report.key, report.totals, report.produced, report.updated_at, closed=True, etag=report.row.etag
    )
    try:
        return read_report(tables.replace(METRICS, row))
    except (RowChanged, RowGone):
        return None

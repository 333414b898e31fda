"""Roll-ups made anew from the table of the events, date by date.

A date is replaced in a turn at both tables, while both stand at the same progress: what is in the one is what
the other is made of, and what comes later counts on top of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from shared.dead_letters.intents import ReplayStore
from shared.dead_letters.settle import REPLAYED
from shared.jobs.context import JobContext
from shared.lake.flush import Flusher
from shared.lake.ports import REMOVALS, Lake, Leases, Snapshot
from shared.lake.segments import SegmentStore
from shared.lake.turns import turn_at
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log
from shared.rollups.partials import merged, partial_schema
from shared.rollups.table import RollupTable
from shared.streams.events import EVENTS
from shared.streams.rollups import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("rollups")

_WAIT_SECONDS = 30.0
_ATTEMPTS = 5
_QUERY = """
SELECT date_trunc('minute', "timestamp") AS "minute", "event_type", "region", count(*) AS "count",
  count("value") AS "values", sum("value") AS "sum", min("value") AS "min", max("value") AS "max",
  sum("value" * "value") AS "sum_squares"
FROM rows WHERE "date" = DATE '{day}' GROUP BY 1, 2, 3
"""


class Recompute:
    """The handler of jobs that make the roll-ups anew."""

    def __init__(
        self,
        segments: SegmentStore,
        flusher: Flusher,
        table: RollupTable,
        lake: Lake,
        leases: Leases,
        replays: ReplayStore,
        settle: Callable[[JobContext], object],
    ) -> None:
        """`settle` finishes what replays that died left to do."""
        self._segments = segments
        self._flusher = flusher
        self._table = table
        self._lake = lake
        self._leases = leases
        self._replays = replays
        self._settle = settle

    def handle(self, context: JobContext) -> None:
        """Goes through the dates of the events' table, from the first or `start_date` to the last or
        `end_date` (inclusive, ISO), on from where the job was left."""
        context.check()
        first = str(context.job.parameters.get("start_date", date.min.isoformat()))
        last = str(context.job.parameters.get("end_date", date.max.isoformat()))
        days = sorted({day for day in self._dates() if first <= day <= last})
        if not context.job.state:
            context.save(state={"next": ""}, outcome={"dates": 0, "rows": 0})
        for done, day in enumerate(days):
            context.progress(done, len(days))
            if day < str(context.job.state["next"]):
                continue
            rows = self._recompute(context, date.fromisoformat(day))
            outcome = {
                "dates": context.job.outcome.get("dates", 0) + 1,
                "rows": context.job.outcome.get("rows", 0) + rows,
            }
            context.save(state={"next": day + "~"}, outcome=outcome)
        context.progress(len(days), len(days))

    def _dates(self) -> set[str]:
        """The dates that have events. Others keep the roll-ups that they have: their events are past their
        retention."""
        return set(self._lake.table(EVENTS).snapshot().files()["date"].to_pylist())

    def _recompute(self, context: JobContext, day: date) -> int:
        for _ in range(_ATTEMPTS):
            context.check()
            self._settle(context)
            self._flusher.flush(EVENTS, wait_seconds=_WAIT_SECONDS)
            with turn_at(self._leases, EVENTS, context.check) as lease:
                if self._lags_behind():
                    continue
                events = self._lake.table(EVENTS).snapshot()
                partials = _rolled_up(events, day)

                def check() -> None:
                    context.check()
                    lease.check()

                self._replace(day, partials, check)
            _log.info("recomputed", date=day.isoformat(), rows=partials.num_rows)
            return int(partials.num_rows)
        raise LeaseHeld("the roll-ups did not catch up with the events")

    def _lags_behind(self) -> bool:
        """Whether a flush or a replay committed events that it is yet to roll up; to be called in a turn at
        the events' table.

        Where segments are gone and were never rolled up, such as by a table that is made anew, nobody will:
        then the dates alone tell.
        """
        segments = self._segments.list(EVENTS)
        progress = self._lake.table(EVENTS).summary({s.source.app_id for s in segments}).progress
        reached = self._table.reached({*progress, REPLAYED})
        if any(
            segment.last > reached.get(segment.source.app_id, -1)
            and segment.first <= progress.get(segment.source.app_id, -1)
            for segment in segments
        ):
            return True
        replayed = progress.get(REPLAYED, -1)
        return reached[REPLAYED] < replayed and any(
            intent.version == replayed and intent.stream == EVENTS.name for intent in self._replays.intents()
        )

    def _replace(self, day: date, partials: pa.Table, check: Callable[[], None]) -> None:
        with turn_at(self._leases, ROLLUPS, check) as lease:
            progress = self._progress()
            snapshot = self._lake.table(ROLLUPS).snapshot(progress)
            behind = {app_id: at for app_id, at in progress.items() if snapshot.progress(app_id) != at}
            self._table.replace(lease, snapshot, day, partials, behind, check)

    def _progress(self) -> Mapping[str, int]:
        found = self._lake.table(EVENTS).summary().progress
        return {app_id: at for app_id, at in found.items() if app_id not in (REMOVALS, REPLAYED)}


def _rolled_up(events: Snapshot, day: date) -> pa.Table:
    """The partials of the events of `day`."""
    schema = partial_schema()
    found = events.select(_QUERY.format(day=day.isoformat()))
    return merged([found.select(schema.names).cast(schema)])

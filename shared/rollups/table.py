"""The table of the roll-ups, as those write it who commit events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

from shared.lake.ports import Blobs, CommitConflict, DataFile, Lake, LakeTable, Lease, Leases, Snapshot
from shared.lake.turns import turn_at
from shared.platform.clock import Clock
from shared.platform.errors import LeaseHeld
from shared.platform.logs import get_log
from shared.rollups.files import by_date, encode_file, read_file, removed
from shared.rollups.partials import merged, no_partials, roll_up
from shared.rollups.regions import RegionStore
from shared.streams.rollups import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

_log = get_log("rollups")

# A date's files become one when there are so many: a flush each minute leaves 1,440 a day.
MERGED_AT = 24
_PARALLEL = 4


class RollupTable:
    """Implements shared.lake.ports.Follower for the events; every commit holds the table's lease."""

    def __init__(
        self,
        blobs: Blobs,
        lake: Lake,
        leases: Leases,
        regions: RegionStore,
        name_files: Callable[[], str],
        clock: Clock,
    ) -> None:
        """`name_files` gives a name that no file has."""
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._regions = regions
        self._name_files = name_files
        self._clock = clock

    def reached(self, app_ids: Iterable[str]) -> dict[str, int]:
        """See the port."""
        wanted = set(app_ids)
        return _reached(self._lake.table(ROLLUPS).snapshot(wanted), wanted)

    def digest(self, rows: pa.Table) -> pa.Table:
        """See the port."""
        return roll_up(rows)

    def commit(
        self,
        digest: pa.Table,
        reached: Mapping[str, int],
        progress: Mapping[str, int],
        check: Callable[[], None],
    ) -> None:
        """See the port. By the same commit a date whose files are many gets one file for all of them, and so
        does one that is over and has several."""
        if all(reached[app_id] == now for app_id, now in progress.items()):
            return
        with turn_at(self._leases, ROLLUPS, check) as lease:
            table = self._lake.table(ROLLUPS)
            snapshot = table.snapshot(progress)
            if any(snapshot.progress(app_id) != reached[app_id] for app_id in progress):
                raise LeaseHeld("another writer rolled up the same events")
            partials = self.named(digest)
            added, gone = self._write(partials, _to_merge(snapshot, partials, self._clock().date()))
            notes = {"kind": "rollup", "rows": partials.num_rows, "merged": len(gone)}
            self._commit(table, snapshot, added, progress, gone, notes, lease, check)

    def replace(
        self,
        lease: Lease,
        snapshot: Snapshot,
        day: date,
        partials: pa.Table,
        progress: Mapping[str, int],
        check: Callable[[], None],
    ) -> None:
        """Puts `partials` in the place of all that there is of `day`, and sets `progress`; to be called in a
        turn at the table with its newest snapshot. Raises LeaseHeld and StorageUnavailable. Blocks."""
        table = self._lake.table(ROLLUPS)
        gone = [file for file in snapshot.files().to_pylist() if file["date"] == day.isoformat()]
        named = self.named(partials)
        added = [self._put(one, part) for one, part in by_date(named)]
        if not added and not gone:
            return
        notes = {"kind": "recompute", "rows": named.num_rows}
        self._commit(table, snapshot, added, progress, gone, notes, lease, check)

    def named(self, partials: pa.Table) -> pa.Table:
        """`partials` under the names that regions count by; new ones are taken in. Call it in a turn."""
        regions = self._regions.read()
        if regions.admit(partials):
            self._regions.write(regions)
        return merged([regions.named(partials)])

    def _write(
        self, partials: pa.Table, to_merge: Mapping[date, Sequence[dict[str, Any]]]
    ) -> tuple[list[DataFile], list[dict[str, Any]]]:
        """The new files, and those that they take the place of."""
        new = dict(by_date(partials))

        def whole(day: date) -> DataFile:
            before = [read_file(self._blobs, file["path"]) for file in to_merge.get(day, ())]
            part = new.get(day, no_partials())
            return self._put(day, merged([*before, part]) if before else part)

        with ThreadPoolExecutor(_PARALLEL, "rollup-write") as pool:
            added = [*pool.map(whole, sorted({*new, *to_merge}))]
        return added, [file for files in to_merge.values() for file in files]

    def _put(self, day: date, partials: pa.Table) -> DataFile:
        file = encode_file(day, partials, self._name_files())
        self._blobs.put_blocking(ROLLUPS.container, file.entry.path, file.content)
        return file.entry

    def _commit(
        self,
        table: LakeTable,
        snapshot: Snapshot,
        added: Sequence[DataFile],
        progress: Mapping[str, int],
        gone: Sequence[dict[str, Any]],
        notes: Mapping[str, Any],
        lease: Lease,
        check: Callable[[], None],
    ) -> None:
        check()
        lease.check()
        try:
            done = table.commit(snapshot, added, progress, removed=removed(gone), notes=notes)
        except CommitConflict as conflict:
            raise LeaseHeld(f"another writer committed to {ROLLUPS.name}: {conflict}") from conflict
        _log.info("committed", stream=ROLLUPS.name, version=done.version, **notes)


def _reached(snapshot: Snapshot, app_ids: Iterable[str]) -> dict[str, int]:
    return {app_id: snapshot.progress(app_id) for app_id in app_ids}


def _to_merge(snapshot: Snapshot, partials: pa.Table, today: date) -> dict[date, list[dict[str, Any]]]:
    """The files of each date of `partials` that has many, and of one other date that is over and has several:
    so that each date that is over comes to have one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    files = snapshot.files().select(["path", "size", "date"])
    counts = files.group_by("date").aggregate([("path", "count")]).to_pylist()
    several = {row["date"]: row["path_count"] for row in counts if row["path_count"] > 1}
    touched = {day.isoformat() for day, _ in by_date(partials)}
    wanted = {day for day in touched if several.get(day, 0) >= MERGED_AT}
    over = [day for day in several if day < today.isoformat() and day not in touched]
    wanted |= set(sorted(over)[:1])
    if not wanted:
        return {}
    found: dict[date, list[dict[str, Any]]] = {date.fromisoformat(day): [] for day in wanted}
    for file in files.filter(pc.is_in(files["date"], value_set=pa.array([*wanted]))).to_pylist():
        found[date.fromisoformat(file["date"])].append(file)
    return found

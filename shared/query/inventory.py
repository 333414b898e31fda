"""Which assets have sent readings, and which sensors each has, landing included.

The statistics of the table's files tell most of it without a row being read. Hours in which a file is shared
by several sensors are counted by SQL, and what is landed by digests of its segments, which are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from shared.lake.digests import SegmentDigests
from shared.lake.ports import Snapshot
from shared.lake.segments import SegmentStore
from shared.query.history import Fresh, History
from shared.query.sql import text_literal
from shared.streams.readings import READINGS

if TYPE_CHECKING:
    import pyarrow as pa

# More hours with shared files than this are not told apart in SQL: all of the asset's rows are counted.
_MOST_HOURS = 100
_MILLISECOND = 1000
# Of the year 9999.
_LAST = 253_402_300_799_999_999


class Inventory:
    """Lists assets and sensors. One instance serves all threads."""

    def __init__(self, history: History, segments: SegmentStore) -> None:
        self._history = history
        columns = ["asset_id", "sensor_id", "timestamp"]
        self._digests = SegmentDigests(READINGS, segments, columns, _digest)

    def assets(
        self, after: str | None, limit: int, depends_on: Callable[..., None] | None = None
    ) -> pa.Table:
        """The first `limit` assets by name after `after`: `asset_id`, `readings`, `files`, `earliest` and
        `latest` (µs since 1970, rounded outwards to milliseconds).

        `depends_on`: see History.page. Costs by the number of live files. Blocks; raises StorageUnavailable.
        """

        def answer(fresh: list[Fresh], snapshot: Snapshot) -> pa.Table:
            _tell(depends_on, fresh, snapshot)
            parts = [_by_asset(snapshot.files()), *map(_of_assets, self._digests.of(fresh))]
            return _page(_summed(parts, ["asset_id"]), "asset_id", after, limit)

        return self._history.read(READINGS, answer)

    def sensors(
        self, asset: str, after: str | None, limit: int, depends_on: Callable[..., None] | None = None
    ) -> pa.Table:
        """The first `limit` sensors of `asset` by name after `after`: `sensor_id`, `readings`, `earliest` and
        `latest`; see `assets`. Of hours that have a file of several sensors it costs by the rows, too."""

        def answer(fresh: list[Fresh], snapshot: Snapshot) -> pa.Table:
            _tell(depends_on, fresh, snapshot)
            landed = map(partial(_of_sensors, asset=asset), self._digests.of(fresh))
            parts = [*_by_sensor(asset, snapshot), *landed]
            return _page(_summed(parts, ["sensor_id"]), "sensor_id", after, limit)

        return self._history.read(READINGS, answer)


def _tell(depends_on: Callable[..., None] | None, fresh: Sequence[Fresh], snapshot: Snapshot) -> None:
    if depends_on is not None:
        names = (f"{segment.name(READINGS)}+{covered}" for segment, covered in fresh)
        depends_on(snapshot.version, *sorted(names))


def _digest(rows: pa.RecordBatch) -> pa.Table:
    """A line for each sensor among `rows`."""
    import pyarrow as pa

    times = rows.column("timestamp").view(pa.int64())
    lines = pa.table(
        {
            "asset_id": rows.column("asset_id"),
            "sensor_id": rows.column("sensor_id"),
            "earliest": times,
            "latest": times,
            "readings": pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows),
        }
    )
    return _rounded(_summed([lines], ["asset_id", "sensor_id"]))


def _of_assets(digest: pa.Table) -> pa.Table:
    import pyarrow as pa

    files = pa.repeat(pa.scalar(0, pa.int64()), digest.num_rows)
    return digest.drop_columns("sensor_id").append_column("files", files)


def _of_sensors(digest: pa.Table, asset: str) -> pa.Table:
    import pyarrow.compute as pc

    return digest.filter(pc.equal(digest["asset_id"], asset)).drop_columns("asset_id")


def _by_asset(files: pa.Table) -> pa.Table:
    import pyarrow as pa

    lines = files.select(["asset_id", "earliest", "latest", "rows"])
    lines = lines.rename_columns(["asset_id", "earliest", "latest", "readings"])
    return lines.append_column("files", pa.repeat(pa.scalar(1, pa.int64()), files.num_rows))


def _by_sensor(asset: str, snapshot: Snapshot) -> list[pa.Table]:
    """Lines of the asset's sensors; of hours whose files have one sensor each by the files' statistics."""
    import pyarrow as pa
    import pyarrow.compute as pc

    files = snapshot.files()
    files = files.filter(pc.equal(files["asset_id"], asset))
    single = pc.fill_null(pc.equal(files["lowest"], files["highest"]), False)
    places = list(zip(files["date"].to_pylist(), files["hour"].to_pylist(), strict=True))
    shared = {place for place, alone in zip(places, single.to_pylist(), strict=True) if not alone}
    where = f'"asset_id" = {text_literal(asset)}'
    if len(shared) > _MOST_HOURS:
        return [_counted(snapshot, where)]
    lines = [_lines_of_files(files.filter(pa.array([place not in shared for place in places], pa.bool_())))]
    if shared:
        named = " OR ".join(f'("date" = \'{date}\' AND "hour" = {hour})' for date, hour in sorted(shared))
        lines.append(_counted(snapshot, f"{where} AND ({named})"))
    return lines


def _lines_of_files(files: pa.Table) -> pa.Table:
    lines = files.select(["lowest", "earliest", "latest", "rows"])
    return lines.rename_columns(["sensor_id", "earliest", "latest", "readings"])


def _counted(snapshot: Snapshot, where: str) -> pa.Table:
    import pyarrow as pa

    found = snapshot.select(
        'SELECT "sensor_id", min("timestamp") AS earliest, max("timestamp") AS latest, count(*) AS readings '  # noqa: S608
        f'FROM rows WHERE {where} GROUP BY "sensor_id"'
    )
    numbers = [(name, pa.int64()) for name in ("earliest", "latest", "readings")]
    return _rounded(found.cast(pa.schema([("sensor_id", pa.string()), *numbers])))


def _rounded(lines: pa.Table) -> pa.Table:
    """Times to the millisecond, outwards, as the statistics of files have them."""
    import numpy as np
    import pyarrow as pa

    earliest, latest = lines["earliest"].to_numpy(), lines["latest"].to_numpy()
    rounded = {
        "earliest": earliest // _MILLISECOND * _MILLISECOND,
        "latest": np.minimum(-(-latest // _MILLISECOND) * _MILLISECOND, _LAST),
    }
    for name, times in rounded.items():
        lines = lines.set_column(lines.schema.get_field_index(name), name, pa.array(times, pa.int64()))
    return lines


def _summed(parts: Sequence[pa.Table], names: list[str]) -> pa.Table:
    """One line for each of what `names` tell apart: counts added up, times widened."""
    import pyarrow as pa

    lines = pa.concat_tables([part.select(parts[0].column_names) for part in parts])
    ways = {"earliest": "min", "latest": "max", "readings": "sum", "files": "sum"}
    columns = [name for name in lines.column_names if name not in names]
    grouped = lines.group_by(names).aggregate([(name, ways[name]) for name in columns])
    return grouped.select([*names, *(f"{name}_{ways[name]}" for name in columns)]).rename_columns(
        [*names, *columns]
    )


def _page(lines: pa.Table, name: str, after: str | None, limit: int) -> pa.Table:
    import pyarrow.compute as pc

    if after is not None:
        lines = lines.filter(pc.greater(lines[name], after))
    return lines.sort_by(name).slice(0, limit)

"""The data files of the roll-ups: a file for each date of each commit, until there are many and they become
one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from shared.lake.data_files import NewFile
from shared.lake.ports import Blobs, DataFile, RemovedFile
from shared.lake.schema import table_schema
from shared.lake.statistics import Statistics
from shared.rollups.partials import between, partial_schema
from shared.streams.rollups import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

DAY = timedelta(days=1)
# The windows that `GET /api/stats` counts, in µs.
WINDOW = 300_000_000


def by_date(partials: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """`partials`, which are sorted by minute, in parts of one date each (UTC)."""
    while partials.num_rows:
        day = partials["minute"][0].as_py().date()
        part = between(partials, None, midnight(day) + DAY) if day < date.max else partials
        yield day, part
        partials = partials.slice(part.num_rows)


def midnight(day: date) -> datetime:
    """When `day` begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def encode_file(day: date, partials: pa.Table, name: str) -> NewFile:
    """The data file of `partials`, which are all of `day`. Its name ends with the number of its windows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    dates = pa.repeat(pa.scalar(day), partials.num_rows)
    whole = partials.append_column("date", dates).cast(table_schema(ROLLUPS))
    pq.write_table(whole, sink, compression="zstd", compression_level=1, store_schema=False)
    content = bytes(sink.getvalue())
    statistics = Statistics(ROLLUPS)
    statistics.add(partials)
    path = f"{day.year:04}/{day.month:02}/{day.day:02}/{name}.{count_windows(partials)}.parquet"
    entry = DataFile(path, len(content), partials.num_rows, {"date": day.isoformat()}, statistics.json())
    return NewFile(entry, content)


def read_file(blobs: Blobs, path: str) -> pa.Table:
    """The partials in a file; raises BlobGone. Blocks."""
    import pyarrow.parquet as pq

    schema = partial_schema()
    content = BytesIO(blobs.get(ROLLUPS.container, path))
    return pq.read_table(content, columns=schema.names).cast(schema)


def count_windows(partials: pa.Table) -> int:
    """How many windows of five minutes, by event type, have events."""
    import numpy as np
    import pyarrow as pa

    windows = np.floor_divide(partials["minute"].cast(pa.int64()).to_numpy(), WINDOW)
    pairs = pa.table({"window": windows, "event_type": partials["event_type"]})
    return int(pairs.group_by(["window", "event_type"]).aggregate([]).num_rows)


def windows_in(path: str) -> int:
    """The number of windows that a file's name tells."""
    return int(path.rsplit(".", 2)[1])


def removed(files: Sequence[dict[str, Any]]) -> list[RemovedFile]:
    """What a commit needs to take `files`, rows of a snapshot's list, out of the table."""
    return [RemovedFile(file["path"], file["size"], {"date": file["date"]}) for file in files]

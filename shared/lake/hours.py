"""The raw files of a table, by the hours that they are to be merged into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from shared.lake.data_files import KeyHour
from shared.lake.paths import RAW
from shared.lake.ports import RemovedFile
from shared.lake.raw_files import RawFile
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RawHour:
    """Raw files of one key's hour, by time."""

    place: KeyHour
    files: tuple[RawFile, ...]

    @property
    def rows(self) -> int:
        """The rows in them."""
        return sum(file.rows for file in self.files)

    def removed(self, stream: StreamDefinition) -> list[RemovedFile]:
        """The files, to be taken out of the table."""
        values = self.place.values(stream)
        return [RemovedFile(file.path, file.size, values) for file in self.files]


def closed_before(now: datetime, grace: timedelta) -> datetime:
    """Hours that begin before this are closed: their end and `grace` have passed."""
    return now - grace - _HOUR + timedelta(microseconds=1)


def raw_files(stream: StreamDefinition, files: pa.Table, before: datetime | None) -> pa.Table:
    """Of a snapshot's `files` the raw ones; with `before` only those of hours that begin before it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    raw = files.filter(pc.starts_with(files["path"], RAW))
    if before is None or not raw.num_rows:
        return raw
    places = raw.select(list(stream.partition_columns[1:])).group_by(["date", "hour"]).aggregate([])
    open_hours = [row for row in places.to_pylist() if _hour(row) >= before]
    if not open_hours:
        return raw
    marks = pa.array([f"{row['date']} {row['hour']}" for row in open_hours])
    return raw.filter(pc.invert(pc.is_in(pc.binary_join_element_wise(raw["date"], raw["hour"], " "), marks)))


def raw_hours(stream: StreamDefinition, raw: pa.Table, most_rows: int) -> Iterator[RawHour]:
    """`raw` files by key and hour, the oldest hour first; more than `most_rows` rows come in portions."""
    details = ("path", "size", "rows", "earliest", "latest")
    if not raw.num_rows:
        return
    places = raw.group_by(list(stream.partition_columns)).aggregate([(name, "list") for name in details])
    for row in sorted(places.to_pylist(), key=lambda row: (_hour(row), row[stream.key_column])):
        columns = (row[f"{name}_list"] for name in details)
        files = sorted((RawFile(*values) for values in zip(*columns, strict=True)), key=_by_name)
        place = KeyHour(row[stream.key_column], _hour(row))
        for portion in _portions(files, most_rows):
            yield RawHour(place, tuple(portion))


def _by_name(file: RawFile) -> str:
    # Names begin with the value of the file column, if a file holds one alone, and end with the time of the
    # flush: files of one value stand together, and those that share one in the order of their flushes.
    return file.path


def _portions(files: list[RawFile], most_rows: int) -> Iterator[list[RawFile]]:
    taken: list[RawFile] = []
    rows = 0
    for file in files:
        if taken and rows + file.rows > most_rows:
            yield taken
            taken, rows = [], 0
        taken.append(file)
        rows += file.rows
    yield taken


def _hour(row: dict[str, Any]) -> datetime:
    return datetime.combine(date.fromisoformat(row["date"]), time(int(row["hour"])), UTC)

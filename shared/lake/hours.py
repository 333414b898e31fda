"""The raw files of a table, by the hours that they are to be merged into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from shared.lake.data_files import RAW_ROW_GROUP_ROWS, KeyHour
from shared.lake.paths import RAW
from shared.lake.ports import RemovedFile
from shared.lake.raw_files import RawFile
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_HOUR = timedelta(hours=1)
# Arrow bytes for a byte of Parquet, about; what of a small file is no rows; the least that a row takes.
_UNPACKED = 8
_FOOTER = 12_000
_NARROW = 100
# A text above all others.
_LAST = "\U0010ffff" * 40


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


def raw_hours(stream: StreamDefinition, raw: pa.Table, most_rows: int, most_bytes: int) -> Iterator[RawHour]:
    """`raw` files by key and hour, the oldest hour first.

    An hour comes in portions where it has more than `most_rows` rows, or where so many files overlap that to
    merge them takes more than `most_bytes` in memory.
    """
    details = ["path", "size", "rows", "earliest", "latest"]
    if stream.file_column is not None:
        details += ["lowest", "highest"]
    if not raw.num_rows:
        return
    places = raw.group_by(list(stream.partition_columns)).aggregate([(name, "list") for name in details])
    for row in sorted(places.to_pylist(), key=lambda row: (_hour(row), row[stream.key_column])):
        columns = (row[f"{name}_list"] for name in details)
        files = sorted((RawFile(*values) for values in zip(*columns, strict=True)), key=_start)
        place = KeyHour(row[stream.key_column], _hour(row))
        for portion in _portions(files, most_rows, most_bytes):
            yield RawHour(place, tuple(portion.files))


class _Portion:
    """Files that are merged together, taken in the order of their starts."""

    def __init__(self, most_rows: int, most_bytes: int) -> None:
        self.files: list[RawFile] = []
        self._rows = most_rows
        self._bytes = most_bytes
        # Ends of the files that the merge has not passed at the last start, and what each takes in memory.
        self._passing: list[tuple[tuple[str, int], int]] = []

    def takes(self, file: RawFile) -> bool:
        """Takes the file, unless there is no room for it."""
        while self._passing and self._passing[0][0] < _start(file)[:2]:
            self._bytes += heappop(self._passing)[1]
        taken = _in_memory(file)
        if self.files and (file.rows > self._rows or (self._passing and taken > self._bytes)):
            return False
        self.files.append(file)
        self._rows -= file.rows
        self._bytes -= taken
        heappush(self._passing, (_end(file), taken))
        return True


def _portions(files: list[RawFile], most_rows: int, most_bytes: int) -> list[_Portion]:
    portions: list[_Portion] = []
    for file in files:
        if not any(portion.takes(file) for portion in portions):
            portions.append(_Portion(most_rows, most_bytes))
            portions[-1].takes(file)
    return portions


def _start(file: RawFile) -> tuple[str, int, str]:
    return file.lowest or "", file.earliest, file.path


def _end(file: RawFile) -> tuple[str, int]:
    return _LAST if file.highest is None else file.highest, file.latest


def _in_memory(file: RawFile) -> int:
    """About how many Arrow bytes a row group of the file takes."""
    row = _UNPACKED * max(file.size - _FOOTER, 0) // max(file.rows, 1)
    return max(row, _NARROW) * min(file.rows, RAW_ROW_GROUP_ROWS)


def _hour(row: dict[str, Any]) -> datetime:
    return datetime.combine(date.fromisoformat(row["date"]), time(int(row["hour"])), UTC)

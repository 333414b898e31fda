"""Tables of the sensor readings with very many live files, of which only a few are there to be read.

The log is delta-rs's own work: commits that each add an hour of all sensors, and checkpoints. The files of
one asset's first day stand in storage; no query that is measured opens another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable

from bench.progress import say
from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake, DeltaLakeTable
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.data_files import ROW_GROUP_ROWS, SHARED_ROW_GROUP_ROWS, DataFileWriter, KeyHour
from shared.lake.paths import final_path
from shared.lake.ports import DataFile
from shared.lake.schema import row_schema
from shared.platform.errors import StorageUnavailable
from shared.streams import StreamDefinition
from shared.streams.readings import READINGS

START = datetime(2026, 1, 1, tzinfo=UTC)
ASSET, SENSOR = "asset_0000", "sensor_042"
SENSORS_AN_ASSET = 100
# A reading of each sensor every six seconds.
READINGS_AN_HOUR = 600
SOURCE = "bench/0/filled"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = 100
_HOURS_IN_STORAGE = 24
_FILES_A_COMMIT = 20_000


@dataclass(frozen=True)
class Shape:
    """`assets` of a hundred sensors each, over `hours`; files of a sensor's hour, or of an asset's."""

    assets: int
    hours: int
    by_asset: bool

    @property
    def files(self) -> int:
        """Live files."""
        return self.hours * self.assets * (1 if self.by_asset else SENSORS_AN_ASSET)

    @property
    def label(self) -> str:
        """For the report."""
        return f"{self.files:,} files of {'an asset' if self.by_asset else 'a sensor'}'s hour"

    @property
    def stream(self) -> StreamDefinition:
        """The readings, in a container of this shape's own."""
        return replace(READINGS, container=f"{'asset' if self.by_asset else 'sensor'}-{self.files}")


def shapes(files: int) -> Iterator[Shape]:
    """The same readings in some `files` files of a sensor's hour, a day's at least, then in a hundredth as
    many of an asset's."""
    assets = max(files // (_HOURS * SENSORS_AN_ASSET), 1)
    hours = max(files // (assets * SENSORS_AN_ASSET), _HOURS_IN_STORAGE)
    for by_asset in (False, True):
        yield Shape(assets, hours, by_asset)


def open_table(account: StorageAccount, stream: StreamDefinition) -> DeltaLakeTable:
    """The table as a new process sees it."""
    return DeltaLake(account, ObstoreBlobs(account), identity={}).table(stream)


def fill(account: StorageAccount, shape: Shape) -> None:
    """Commits all hours, some at a time, and writes a checkpoint; the container must be empty."""
    blobs, table = ObstoreBlobs(account), open_table(account, shape.stream)
    at_once = max(_FILES_A_COMMIT * shape.hours // shape.files, shape.hours // 10, 1)
    for hours in batched(range(shape.hours), at_once, strict=False):
        places = (place for hour in hours for place in _places(shape, hour))
        files = [entry for place in places for entry in _entries(shape, place, blobs)]
        while (snapshot := table.snapshot([SOURCE])).progress(SOURCE) < hours[-1]:
            with suppress(StorageUnavailable):
                table.commit(snapshot, files, {SOURCE: hours[-1]}, notes=_notes(files))
        say(f"log-scale: {(hours[-1] + 1) * shape.files // shape.hours:,} of {shape.label}")
    table.cover()
    open_delta(account, shape.stream.container).create_checkpoint()


def _notes(files: list[DataFile]) -> dict[str, object]:
    return {"kind": "flush", "rows": sum(file.rows for file in files), "messages": {}, "last_message": 0}


def open_delta(account: StorageAccount, container: str) -> DeltaTable:
    """The table as others open it."""
    options = {
        "azure_storage_account_name": account.name,
        "azure_storage_account_key": str(account.key),
        "azure_storage_endpoint": account.blob_endpoint,
        "allow_http": "true",
    }
    return DeltaTable(f"az://{container}/", storage_options=options)


def _places(shape: Shape, hour: int) -> Iterator[KeyHour]:
    for asset in range(shape.assets):
        yield KeyHour(f"asset_{asset:04d}", START + timedelta(hours=hour))


def _entries(shape: Shape, place: KeyHour, blobs: ObstoreBlobs) -> Iterator[DataFile]:
    """What the log says of one asset's hour; the files themselves are written where they will be read."""
    in_storage = place.key == ASSET and place.hour < START + timedelta(hours=_HOURS_IN_STORAGE)
    names = [f"sensor_{number:03d}" for number in range(SENSORS_AN_ASSET)]
    for some in [names] if shape.by_asset else [[name] for name in names]:
        stem = "readings" if shape.by_asset else some[0]
        if in_storage and SENSOR in some:
            yield _written(shape, place, some, stem, blobs)
        else:
            yield _entry(place, stem, some)


def _entry(place: KeyHour, stem: str, sensors: list[str]) -> DataFile:
    first, last = (f"{place.hour + part:%Y-%m-%dT%H:%M:%S}" for part in (timedelta(), timedelta(minutes=59)))
    times = ("timestamp", "ingestion_time")
    low = {**dict.fromkeys(times, f"{first}.000Z"), "sensor_id": sensors[0]}
    high = {**dict.fromkeys(times, f"{last}.999Z"), "sensor_id": sensors[-1]}
    rows = len(sensors) * READINGS_AN_HOUR
    statistics = {"numRecords": rows, "minValues": low, "maxValues": high, "nullCount": dict.fromkeys(low, 0)}
    path = final_path(place.folder, stem, 1)
    return DataFile(path, 9000 * len(sensors), rows, place.values(READINGS), _json(statistics))


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _written(shape: Shape, place: KeyHour, sensors: list[str], stem: str, blobs: ObstoreBlobs) -> DataFile:
    rows_in_group = SHARED_ROW_GROUP_ROWS if shape.by_asset else ROW_GROUP_ROWS
    writer = DataFileWriter(READINGS, place, rows_in_group)
    writer.write(pa.concat_tables(_rows(place, name) for name in sensors))
    path = final_path(place.folder, stem, 1)
    blobs.put_blocking(shape.stream.container, path, writer.content())
    return writer.entry(path)


def _rows(place: KeyHour, sensor: str) -> pa.Table:
    count = READINGS_AN_HOUR
    start = (place.hour - _EPOCH) // timedelta(microseconds=1)
    times = pa.array(start + np.arange(count) * 6_000_000).cast(pa.timestamp("us", "UTC"))
    numbers = np.arange(count)
    columns = {
        "asset_id": pa.repeat(place.key, count),
        "sensor_id": pa.repeat(sensor, count),
        "timestamp": times,
        "value": pa.array(np.sin(numbers / 60) * 40),
        "unit": pa.repeat("bar", count),
        "quality": pa.repeat("good", count),
        "ingestion_time": times,
        "_partition": pa.array(np.zeros(count, np.int32)),
        "_seq": pa.array(numbers),
        "_idx": pa.array(np.zeros(count, np.int32)),
    }
    schema = row_schema(READINGS)
    return pa.table(
        [columns.get(f.name, pa.nulls(count, f.type)).cast(f.type) for f in schema], schema=schema
    )

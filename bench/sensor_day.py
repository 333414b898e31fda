"""One sensor's day, read back: over HTTP, out of the Delta table without Floe, and out of Capture's files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from obstore.store import AzureStore

from bench.capture import Codec, find
from bench.fleet import DAY_HOURS, Fleet
from bench.http_client import Api
from shared.adapters.connection import StorageAccount
from shared.streams.readings import READINGS

_PAGE = 1000


@dataclass(frozen=True)
class SensorDay:
    """The readings of one sensor from `since` on, for a day; `count` of them must be found."""

    asset: str
    sensor: str
    since: datetime
    count: int

    @property
    def until(self) -> datetime:
        """The day's end."""
        return self.since + timedelta(hours=DAY_HOURS)

    @property
    def sql(self) -> str:
        """The query, for DataFusion and DuckDB."""
        return (
            f"SELECT timestamp, value FROM readings"
            f" WHERE asset_id = '{self.asset}' AND sensor_id = '{self.sensor}'"
            f" AND timestamp >= TIMESTAMPTZ '{self.since:%Y-%m-%d %H:%M:%S}+00'"
            f" AND timestamp < TIMESTAMPTZ '{self.until:%Y-%m-%d %H:%M:%S}+00'"
        )


@dataclass(frozen=True)
class Timed:
    """Wall milliseconds of each reading, and this process's CPU milliseconds of the mean one."""

    millis: list[float]
    cpu: float


def days(fleet: Fleet, count: int) -> list[SensorDay]:
    """`count` sensors' days, the same in every run."""
    return [SensorDay(*names, fleet.day, fleet.each) for names in fleet.some(count)]


def timed(wanted: Sequence[SensorDay], read: Callable[[SensorDay], int], first: bool = False) -> Timed:
    """Reads each; the first one twice and once uncounted, unless `first` counts. RuntimeError where
    readings are missing."""
    if not first:
        read(wanted[0])
    millis, cpu = [], time.process_time()
    for day in wanted:
        began = time.monotonic()
        found = read(day)
        millis.append(1000 * (time.monotonic() - began))
        if found != day.count:
            raise RuntimeError(f"{found:,} of {day.count:,} readings of {day.asset}, {day.sensor}")
    return Timed(millis, 1000 * (time.process_time() - cpu) / len(wanted))


def over_http(url: str, timeout: float) -> Callable[[SensorDay], int]:
    """`GET /storage/readings`, in JSON, page after page."""
    api = Api(url, timeout)

    def read(day: SensorDay) -> int:
        found, page = 0, _PAGE
        while page == _PAGE and found < day.count:
            answer = api.get(
                "/storage/readings",
                asset=day.asset,
                sensor=day.sensor,
                start_time=f"{day.since:%Y-%m-%dT%H:%M:%SZ}",
                end_time=f"{day.until:%Y-%m-%dT%H:%M:%SZ}",
                limit=_PAGE,
                offset=found,
            )
            page = answer["count"]
            found += page
        return found

    return read


def open_table(account: StorageAccount) -> DeltaTable:
    """The readings' table as any program opens it."""
    options = {
        "azure_storage_account_name": account.name,
        "azure_storage_account_key": account.key or "",
        "azure_storage_endpoint": account.blob_endpoint,
        "allow_http": "true",
    }
    return DeltaTable(f"az://{READINGS.container}/", storage_options=options)


def with_datafusion(table: DeltaTable) -> Callable[[SensorDay], int]:
    """DataFusion, inside of delta-rs."""
    builder = QueryBuilder().register("readings", table)
    return lambda day: _rows(builder.execute(day.sql).read_all())


def _rows(found: object) -> int:
    return int(pa.table(found).num_rows)


def with_duckdb(table: DeltaTable) -> Callable[[SensorDay], int]:
    """DuckDB over delta-rs's Arrow dataset, as docs/sensors.md shows."""
    connection = duckdb.connect()
    connection.register("readings", table.to_pyarrow_dataset())
    return lambda day: _rows(connection.sql(day.sql).to_arrow_table())


def in_capture(store: AzureStore, codec: Codec) -> Callable[[SensorDay], int]:
    """All of the day's Avro files."""

    def read(day: SensorDay) -> int:
        def wanted(reading: dict[str, Any]) -> bool:
            return bool(reading["asset_id"] == day.asset and reading["sensor_id"] == day.sensor)

        return find(store, codec, wanted, f'"{day.sensor}"'.encode())

    return read

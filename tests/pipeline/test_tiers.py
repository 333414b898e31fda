"""The tiers on real storage: whatever sensors are called, every reader sees the same rows after each step."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pytest
from azure.storage.blob import BlobServiceClient
from deltalake import DeltaTable, QueryBuilder

from shared.lake.cleanup import Cleaner, CleanupLimits
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.paths import LONGEST_SEGMENT, path_segment
from shared.lake.segments import SegmentStore, Source, describe
from shared.lake.upload import Uploader
from shared.platform.clock import utc_now
from shared.streams.readings import READINGS
from tests.lake.rows import HOUR, NOON, reading_rows
from tests.lake.world import UPLOAD
from tests.pipeline.test_independent_readers import Log
from tests.place import Place

NAMES = [
    "asset_001",
    "..",
    ".",
    "/",
    "a/b",
    "a b",
    "a%20b",
    "a~20b",
    "raw",
    "_delta_log",
    "_floe",
    "pump-2",
    "pump",
    "ünïcode 🎉",
    'it\'s "quoted"; DROP',
    "a=b,c:d?e#f*[g]{h}|i\\j",
    "x" * 1000,
    "x" * 999 + "y",
    "new\nline\x00",
]
# Every name is a sensor of one asset, and an asset with one sensor of that name.
READ = [("plant", name) for name in NAMES] + [(name, name) for name in NAMES]


class Tiers:
    """A place with all that works on it."""

    def __init__(self, place: Place, files: int) -> None:
        self.place = place
        self.blobs = place.blobs()
        self.segments = SegmentStore(self.blobs)
        self.now = utc_now()
        self._lake = place.lake()
        self._limits = FlushLimits(rows=10_000, bytes=2**30, files=files)
        self._sent = 0

    async def flush(self, readings: list[tuple[str, str, int]]) -> None:
        """Lands readings (asset, sensor, time) and flushes them."""
        assets, sensors, times = zip(*readings, strict=True)
        rows = reading_rows(sensors, times, assets=assets, first=self._sent)
        last = self._sent + len(readings) - 1
        segment = describe(Source(READINGS.topics[0], 0, "g1"), rows, READINGS, self._sent, last)
        await self.segments.write(READINGS, segment, rows)
        self._sent += len(readings)
        leases = self.place.leases()
        Flusher(self.segments, self.blobs, self._lake, leases, self._limits, utc_now).flush(READINGS)

    def upload(self) -> int:
        """Merges everything; how many files that made."""
        uploader = Uploader(self.blobs, self._lake, self.place.leases(), UPLOAD, "Cold", utc_now)
        return uploader.upload(READINGS, closed_only=False).files_written

    def clean(self) -> None:
        """Cleans up as in three days' time."""
        limits = CleanupLimits(removed_files=timedelta(hours=1))
        leases = self.place.leases()
        ahead = utc_now() + timedelta(days=3)
        Cleaner(self.segments, self.blobs, self._lake, leases, limits, lambda: ahead).clean(READINGS)


COLUMNS = ["asset_id", "sensor_id", "_seq"]


def readers(place: Place, folder: Path) -> Iterator[tuple[str, Counter[Any]]]:
    """What each reader finds in the table."""
    uri = f"az://{place.container(READINGS.container)}/"
    options = {
        "azure_storage_account_name": place.account.name,
        "azure_storage_account_key": str(place.account.key),
        "azure_storage_endpoint": place.account.blob_endpoint,
        "allow_http": "true",
    }
    names = ", ".join(COLUMNS)
    table = DeltaTable(uri, storage_options=options)
    answer = pa.table(QueryBuilder().register("rows", table).execute(f"SELECT {names} FROM rows").read_all())
    yield "delta-rs", Counter(zip(*(answer[name].to_pylist() for name in COLUMNS), strict=True))
    dataset = table.to_pyarrow_dataset()
    yield "DuckDB over delta-rs", Counter(duckdb.execute(f"SELECT {names} FROM dataset").fetchall())
    assert dataset.count_rows() == answer.num_rows
    scanned = polars.scan_delta(uri, storage_options=options)
    yield "Polars", Counter(scanned.select(COLUMNS).collect().rows())
    log = Log(place, READINGS)
    pattern = log.download(folder)
    plain = f"SELECT {names} FROM read_parquet('{pattern}', hive_partitioning = false)"
    yield "DuckDB", Counter(duckdb.execute(plain).fetchall())


@pytest.mark.parametrize("files", [200, 1], ids=["files of sensors", "shared files"])
async def test_all_readers_see_the_same_rows_in_every_tier(
    storage_connection_string: str, tmp_path: Path, files: int
) -> None:
    place = Place(storage_connection_string, f"t{uuid.uuid4().hex[:10]}").make()
    tiers = Tiers(place, files)
    sent: Counter[Any] = Counter()

    async def flush(lag: int) -> None:
        first = sum(sent.values())
        await tiers.flush([(asset, sensor, NOON + i - lag) for i, (asset, sensor) in enumerate(READ)])
        sent.update((asset, sensor, first + i) for i, (asset, sensor) in enumerate(READ))

    def check(step: str) -> None:
        for reader, found in readers(place, tmp_path / step):
            assert found == sent, f"{reader} after {step}"

    await flush(0)
    await flush(-1000)
    check("flush")
    assert tiers.upload() == len(READ)
    check("upload")
    await flush(500)  # partly the hour before
    tiers.upload()
    check("late upload")
    tiers.clean()
    check("clean up")
    stored = {info.name: info.size for info in place.blobs().list(READINGS.container, "")}
    assert {name for name in stored if not name.startswith("_")} == named(place)
    assert max(map(len, stored)) <= 1024


def named(place: Place) -> set[str]:
    return set(place.lake().table(READINGS).snapshot().files()["path"].to_pylist())


async def test_final_files_are_in_the_cold_tier_under_the_documented_names(
    storage_connection_string: str,
) -> None:
    place = Place(storage_connection_string, f"t{uuid.uuid4().hex[:10]}").make()
    tiers = Tiers(place, 200)
    await tiers.flush([("asset_001", "sensor_001", NOON), ("asset_001", "sensor_001", NOON + HOUR)])
    tiers.upload()
    await tiers.flush([("asset_001", "sensor_001", NOON)])
    tiers.upload()
    assert named(place) == {
        "asset_001/2025/09/30/12/sensor_001.parquet",
        "asset_001/2025/09/30/12/sensor_001-2.parquet",
        "asset_001/2025/09/30/13/sensor_001.parquet",
    }
    with BlobServiceClient.from_connection_string(storage_connection_string) as service:
        container = service.get_container_client(place.container(READINGS.container))
        tiers_of = {blob.name: blob.blob_tier for blob in container.list_blobs()}
    assert {tiers_of[name] for name in named(place)} == {"Cold"}
    assert {tier for name, tier in tiers_of.items() if name.startswith("raw/")} == {"Hot"}


def test_the_longest_names_make_paths_that_storage_takes() -> None:
    longest = f"raw/{'x' * LONGEST_SEGMENT}/2025/09/30/12/{'x' * LONGEST_SEGMENT}-{'x' * 40}.parquet"
    assert len(longest) < 1024
    assert all(len(path_segment(name)) <= LONGEST_SEGMENT for name in NAMES)

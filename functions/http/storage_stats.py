"""What storage holds of the sensor readings."""

from __future__ import annotations

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Request, operation
from shared import runtime
from shared.lake.summary import Share

bp = func.Blueprint()
TAGS = ["Storage"]
_MIB = 1_048_576


class AssetFiles(ApiModel):
    """One asset's live files."""

    files: int
    size_bytes: int


class StorageStats(ApiModel):
    """Live files of the readings' table, hot and cold, and readings that are landed and not flushed yet."""

    total_files: int
    total_size_bytes: int
    total_size_mb: float = Field(description="MiB, three decimals.")
    assets: dict[str, AssetFiles] | None = Field(
        description="By asset; null where there are more assets than Floe keeps account of."
    )
    buffer_count: int = Field(description="Sensors with readings that are not flushed yet.")
    buffered_records: int = Field(description="Readings that are not flushed yet.")
    minute_buffer_count: int = Field(description="Sensors with readings in the newest minute buffered.")
    minute_buffered_records: int = Field(
        description="Readings not flushed yet whose time lies in the newest minute that is buffered of their "
        "sensor."
    )


@operation(
    bp,
    "GET",
    "storage/stats",
    summary="What storage holds of the sensor readings",
    tags=TAGS,
    response=StorageStats,
    errors=(503,),
    scope="storage:read",
    open_locally=True,
    blocking=True,
)
def get_storage_stats(request: Request) -> StorageStats:
    """Follows the table's log and the buffer's listing; what it costs does not grow with the files."""
    buffered, table = runtime.readings_gauge().read()
    return StorageStats(
        total_files=table.files,
        total_size_bytes=table.bytes,
        total_size_mb=round(table.bytes / _MIB, 3),
        assets=None if table.keys is None else {asset: _files(share) for asset, share in table.keys.items()},
        buffer_count=buffered.buffers,
        buffered_records=buffered.rows,
        minute_buffer_count=buffered.minute_buffers,
        minute_buffered_records=buffered.minute_rows,
    )


def _files(share: Share) -> AssetFiles:
    return AssetFiles(files=share.files, size_bytes=share.bytes)

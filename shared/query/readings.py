"""Queries over sensor readings, and the forms that they are answered in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from shared.query.column_text import bytes_of, times_of
from shared.query.wanted import RowsWanted
from shared.streams.readings import READINGS

if TYPE_CHECKING:
    import pyarrow as pa

_encode = msgspec.json.Encoder().encode


def readings_wanted(
    asset: str | None = None,
    sensor: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    newest: bool = True,
    limit: int = 100,
    offset: int = 0,
    most_bytes: int | None = None,
) -> RowsWanted:
    """Readings of one asset or all, of sensors of one name or all, from `start` (inclusive) to `end`
    (exclusive), both aware; see RowsWanted."""
    names = {"asset_id": asset, "sensor_id": sensor}
    return RowsWanted(
        stream=READINGS,
        equal={column: name for column, name in names.items() if name is not None},
        start=start,
        end=end,
        newest=newest,
        limit=limit,
        offset=offset,
        most_bytes=most_bytes,
    )


def readings_json(rows: pa.Table) -> list[msgspec.Raw]:
    """Each row as a reading, without its place in the stream."""
    columns: dict[str, list[Any]] = {
        "asset_id": rows["asset_id"].to_pylist(),
        "sensor_id": rows["sensor_id"].to_pylist(),
        "timestamp": times_of(rows["timestamp"]),
        "value": rows["value"].to_pylist(),
        "value_text": rows["value_text"].to_pylist(),
        "unit": rows["unit"].to_pylist(),
        "quality": rows["quality"].to_pylist(),
        "attributes": [text and msgspec.Raw(text) for text in bytes_of(rows["attributes"])],
        "ingestion_time": times_of(rows["ingestion_time"]),
    }
    readings = (dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True))
    return [msgspec.Raw(_encode(reading)) for reading in readings]

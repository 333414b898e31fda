"""Queries over sensor readings, and the forms that they are answered in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.platform.clock import to_rfc3339
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
    return [msgspec.Raw(_reading(row)) for row in rows.to_pylist()]


def _reading(row: dict[str, object]) -> bytes:
    attributes = row["attributes"]
    return _encode(
        {
            "asset_id": row["asset_id"],
            "sensor_id": row["sensor_id"],
            "timestamp": _time(row["timestamp"]),
            "value": row["value"],
            "value_text": row["value_text"],
            "unit": row["unit"],
            "quality": row["quality"],
            "attributes": None if attributes is None else msgspec.Raw(str(attributes).encode()),
            "ingestion_time": _time(row["ingestion_time"]),
        }
    )


def _time(value: object) -> str:
    assert isinstance(value, datetime)
    return to_rfc3339(value)

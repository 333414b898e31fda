"""Rows of events as the JSON that the API answers with."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.platform.clock import to_rfc3339

if TYPE_CHECKING:
    import pyarrow as pa

_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def events_json(rows: pa.Table) -> list[msgspec.Raw]:
    """Each row as an event: `data` as it was sent, `metadata` with its source and ingestion time."""
    return [msgspec.Raw(_event(row)) for row in rows.to_pylist()]


def _event(row: dict[str, object]) -> bytes:
    return _encode(
        {
            "event_id": row["event_id"],
            "event_type": row["event_type"],
            "timestamp": _time(row["timestamp"]),
            "data": msgspec.Raw(str(row["data"]).encode()),
            "metadata": _metadata(row),
        }
    )


def _metadata(row: dict[str, object]) -> dict[str, object]:
    """What came with the event; a metadata that is no object stands under `metadata`."""
    text = row["metadata"]
    members: dict[str, object] = {"source": "kafka"}
    if text is not None:
        raw = str(text).encode()
        members |= _members(raw) if raw.lstrip()[:1] == b"{" else {"metadata": msgspec.Raw(raw)}
    return members | {"ingestion_time": _time(row["ingestion_time"])}


def _time(value: object) -> str:
    assert isinstance(value, datetime)
    return to_rfc3339(value)

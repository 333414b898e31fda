"""Rows of events as the JSON that the API answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.query.column_text import bytes_of, times_of

if TYPE_CHECKING:
    import pyarrow as pa

_encode = msgspec.json.Encoder().encode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def events_json(rows: pa.Table) -> list[msgspec.Raw]:
    """Each row as an event: `data` as it was sent, `metadata` with its source and ingestion time."""
    columns = (
        rows["event_id"].to_pylist(),
        rows["event_type"].to_pylist(),
        times_of(rows["timestamp"]),
        bytes_of(rows["data"]),
        bytes_of(rows["metadata"]),
        times_of(rows["ingestion_time"]),
    )
    return [_event(*fields) for fields in zip(*columns, strict=True)]


def _event(
    event_id: str, event_type: str, time: str, data: bytes, metadata: bytes | None, arrived: str
) -> msgspec.Raw:
    event = {
        "event_id": event_id,
        "event_type": event_type,
        "timestamp": time,
        "data": msgspec.Raw(data),
        "metadata": _metadata(metadata, arrived),
    }
    return msgspec.Raw(_encode(event))


def _metadata(sent: bytes | None, arrived: str) -> dict[str, object]:
    """What came with the event; a metadata that is no object stands under `metadata`."""
    members: dict[str, object] = {"source": "kafka"}
    if sent is not None:
        members |= _members(sent) if sent.lstrip()[:1] == b"{" else {"metadata": msgspec.Raw(sent)}
    return members | {"ingestion_time": arrived}

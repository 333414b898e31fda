"""Rows as the API gives them."""

from __future__ import annotations

import json

import pytest

from shared.ingest.decode_events import EventDecoder
from shared.query.event_json import events_json
from tests.ingest.batches import TOPIC, batch_of

_TAKEN = "2025-09-30T12:00:00Z"


def rendered(body: bytes) -> bytes:
    rows, letters = EventDecoder(TOPIC).decode(batch_of([body]))
    assert letters == []
    [text] = events_json(rows)
    return bytes(text)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"b":1, "a" : [1.0,1e5,-0,"\\u00e9"]}',
        '{"text":"é😀"}'.encode(),
        b'{"a":1,"a":2}',
        b'{"large":123456789012345678901234567890,"x":1e999}',
    ],
)
def test_data_comes_back_as_sent(data: bytes) -> None:
    assert b'"data":' + data + b"," in rendered(b'{"data":' + data + b"}")


@pytest.mark.parametrize(
    ("members", "metadata"),
    [
        (b"", {"source": "kafka", "ingestion_time": _TAKEN}),
        (b',"metadata":{"source":"mine"}', {"source": "mine", "ingestion_time": _TAKEN}),
        (b',"source":"mine"', {"source": "mine", "ingestion_time": _TAKEN}),
        (b',"metadata":{"a":[1]}', {"a": [1], "source": "kafka", "ingestion_time": _TAKEN}),
        (b',"x":1,"metadata":{"a":2}', {"a": 2, "x": 1, "source": "kafka", "ingestion_time": _TAKEN}),
        (b',"metadata":[1]', {"metadata": [1], "source": "kafka", "ingestion_time": _TAKEN}),
        (b',"metadata":"text"', {"metadata": "text", "source": "kafka", "ingestion_time": _TAKEN}),
        (b',"ingestion_time":"mine"', {"source": "kafka", "ingestion_time": _TAKEN}),
    ],
)
def test_metadata(members: bytes, metadata: dict[str, object]) -> None:
    assert json.loads(rendered(b'{"data":{}' + members + b"}"))["metadata"] == metadata


@pytest.mark.parametrize(
    ("sent", "given"),
    [
        ("2025-01-02T03:04:05Z", "2025-01-02T03:04:05Z"),
        ("2025-01-02T03:04:05.100000Z", "2025-01-02T03:04:05.100000Z"),
        ("2025-01-02T03:04:05+01:00", "2025-01-02T02:04:05Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_times(sent: str, given: str) -> None:
    event = json.loads(rendered(f'{{"data":{{}},"timestamp":"{sent}"}}'.encode()))
    assert event["timestamp"] == given
    assert event["event_id"].startswith("evt-transaction-0-0-0-")

"""What each message becomes: rows, or dead letters with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from shared.ingest.decode_events import EventDecoder
from shared.ingest.models import Reason
from tests.ingest.batches import TAKEN, TOPIC, batch_of

DECODER = EventDecoder(TOPIC)
MEGABYTE = 10**6


def decode(*bodies: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, int, int, Reason, bytes]]]:
    """Rows with times in microseconds, and dead letters but for their detail."""
    rows, letters = DECODER.decode(batch_of(bodies))
    times = ("timestamp", "ingestion_time")
    numbers = {name: rows[name].cast("int64") for name in times}
    for name, column in numbers.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows.to_pylist(), [(x.message, x.idx, x.items, x.reason, x.body) for x in letters]


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_a_whole_event() -> None:
    body = (
        b'{"event_id":"e1","event_type":"transaction","timestamp":"2025-01-02T03:04:05.000006Z",'
        b'"data":{"user_id":"u1","region":"eu","value":1.5, "more":[1]},"metadata":{"source":"till"}}'
    )
    assert decode(body) == (
        [
            {
                "event_id": "e1",
                "event_type": "transaction",
                "timestamp": 1_735_787_045_000_006,
                "user_id": "u1",
                "region": "eu",
                "value": 1.5,
                "data": '{"user_id":"u1","region":"eu","value":1.5, "more":[1]}',
                "metadata": '{"source":"till"}',
                "ingestion_time": TAKEN,
                "_partition": 0,
                "_seq": 0,
                "_idx": 0,
            }
        ],
        [],
    )


def test_the_least_event_gets_its_type_id_and_time_from_where_it_stands() -> None:
    [row], [] = decode(b'{"data":{}}')
    assert (row["event_type"], row["timestamp"], row["ingestion_time"]) == ("transaction", TAKEN, TAKEN)
    assert row["event_id"] == f"evt-transaction-0-0-0-{TAKEN:x}"
    assert (row["user_id"], row["region"], row["value"], row["metadata"]) == (None,) * 4


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b'{"user_id":"u","region":"r","value":1}', ("u", "r", 1.0)),
        (b'{"amount":2.5}', (None, None, 2.5)),
        (b'{"value":0,"amount":2}', (None, None, 0.0)),
        (b'{"value":null,"amount":2}', (None, None, 2.0)),
        (b'{"value":"3","amount":2}', (None, None, 2.0)),
        (b'{"value":true}', (None, None, None)),
        (b'{"user_id":7,"region":true}', ("7", "true", None)),
        (b'{"user_id":1.5,"region":{"a":1}}', ("1.5", None, None)),
        (b'{"user_id":123456789012345678901234567890}', ("123456789012345678901234567890", None, None)),
        (b'{"value":123456789012345678901234567890}', (None, None, 1.2345678901234568e29)),
        (b'{"user_id":null,"region":[]}', (None, None, None)),
        (b'{"user_id":"a","user_id":"b"}', ("b", None, None)),
        (b'{"user_id":"\\u00e9\\ud83d\\ude00"}', ("é😀", None, None)),
        (b'{"value":-0.0}', (None, None, 0.0)),
        (b'{"deep":' + nested(198) + b"}", (None, None, None)),
        (b'{"text":"' + b"x" * MEGABYTE + b'"}', (None, None, None)),
        (b'{"user_id":"' + b"x" * MEGABYTE + b'"}', ("x" * MEGABYTE, None, None)),
    ],
)
def test_fields_out_of_data(data: bytes, fields: tuple[object, ...]) -> None:
    [row], [] = decode(b'{"data":' + data + b"}")
    assert (row["user_id"], row["region"], row["value"]) == fields
    assert row["data"].encode() == data


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2025-01-02T03:04:05", 1_735_787_045_000_000),
        ("2025-01-02 03:04:05Z", 1_735_787_045_000_000),
        ("2025-01-02t03:04:05z", 1_735_787_045_000_000),
        ("2025-01-02T05:04:05+02:00", 1_735_787_045_000_000),
        ("2025-01-02T03:04:05.1234567Z", 1_735_787_045_123_457),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_event_times(text: str, microseconds: int) -> None:
    [row], [] = decode(f'{{"data":{{}},"timestamp":"{text}"}}'.encode())
    assert row["timestamp"] == microseconds


@pytest.mark.parametrize(
    ("members", "metadata"),
    [
        (b'"metadata":null', None),
        (b'"metadata":"text"', '"text"'),
        (b'"metadata": {"a" : 1}', '{"a" : 1}'),
        (b'"x":1,"y":[2]', '{"x":1,"y":[2]}'),
        (b'"x":1,"metadata":{"a":2}', '{"a":2,"x":1}'),
        (b'"a":1,"metadata":{"a":2}', '{"metadata":{"a":2},"a":1}'),
        (b'"x":1,"metadata":[3]', '{"metadata":[3],"x":1}'),
        (b'"x":1,"metadata":null', '{"x":1}'),
    ],
)
def test_metadata_holds_further_fields(members: bytes, metadata: str | None) -> None:
    [row], [] = decode(b'{"data":{},' + members + b"}")
    assert row["metadata"] == metadata


# Whole messages that become one dead letter each, byte for byte.
BAD_MESSAGES = [
    (b"", Reason.EMPTY),
    (b" \r\n\t", Reason.EMPTY),
    (b"[]", Reason.EMPTY),
    (b" [ ] ", Reason.EMPTY),
    (b"hello", Reason.NOT_JSON),
    (b'{"data":{}', Reason.NOT_JSON),
    (b'{"data":{}}\x00', Reason.NOT_JSON),
    (b'{"data":{}}{"data":{}}', Reason.NOT_JSON),
    (b"{'data':{}}", Reason.NOT_JSON),
    (b'\xef\xbb\xbf{"data":{}}', Reason.NOT_JSON),
    (b'{"data":{"value":NaN}}', Reason.NOT_JSON),
    (b'{"data":{"x":Infinity}}', Reason.NOT_JSON),
    (b'{"data":{"x":01}}', Reason.NOT_JSON),
    (b'{"data":{"user_id":"\\ud800"}}', Reason.NOT_JSON),
    (b'{"data":{},"metadata":{"\\ud800":1},"x":1}', Reason.NOT_JSON),
    (b"[1,2", Reason.NOT_JSON),
    (b'["', Reason.NOT_JSON),
    (b'["' * 1000, Reason.NOT_JSON),
    (b"\xff\xfe\x00garbage", Reason.NOT_UTF8),
    (b'{"data":{"text":"\xff"}}', Reason.NOT_UTF8),
    (b'{"data":{"\xff":1}}', Reason.NOT_UTF8),
    (b'{"data":{},"event_id":"\xff"}', Reason.NOT_UTF8),
    (b'{"data":{},"metadata":"\xc0\x80"}', Reason.NOT_UTF8),
    (b'{"data":{"text":"\xed\xa0\x80"}}', Reason.NOT_UTF8),
    (b'{"data":{"deep":' + nested(199) + b"}}", Reason.TOO_DEEP),
    (b'{"data":{"deep":' + nested(100_000) + b"}}", Reason.TOO_DEEP),
    (b'{"data":{"user_id":' + nested(100_000) + b"}}", Reason.TOO_DEEP),
    (b'{"data":{},"metadata":' + nested(200) + b"}", Reason.TOO_DEEP),
    (b'{"data":{},"x":' + nested(199) + b"}", Reason.TOO_DEEP),
    (b"[" * MEGABYTE, Reason.TOO_DEEP),
    (b"7", Reason.NOT_AN_OBJECT),
    (b"null", Reason.NOT_AN_OBJECT),
    (b'"text"', Reason.NOT_AN_OBJECT),
    (b"[1,null,[]]", Reason.NOT_AN_OBJECT),
    (b"{}", Reason.MISSING_DATA),
    (b'{"data":null}', Reason.MISSING_DATA),
    (b'{"Data":{}}', Reason.MISSING_DATA),
    (b'{"data":[1]}', Reason.INVALID_DATA),
    (b'{"data":"text"}', Reason.INVALID_DATA),
    (b'{"data":7}', Reason.INVALID_DATA),
    (b'{"data":{"value":1e999}}', Reason.NUMBER_OUT_OF_RANGE),
    (b'{"data":{"value":' + b"1" * 400 + b"}}", Reason.NUMBER_OUT_OF_RANGE),
    (b'{"data":{"user_id":' + b"1" * 5000 + b"}}", Reason.NUMBER_OUT_OF_RANGE),
    (b'{"data":{},"event_id":' + b"1" * 5000 + b"}", Reason.NUMBER_OUT_OF_RANGE),
    (b'{"data":{},"event_id":""}', Reason.INVALID_EVENT_ID),
    (b'{"data":{},"event_id":7}', Reason.INVALID_EVENT_ID),
    (b'{"data":{},"event_id":{}}', Reason.INVALID_EVENT_ID),
    (b'{"data":{},"event_id":"' + b"x" * 1025 + b'"}', Reason.INVALID_EVENT_ID),
    (b'{"data":{},"event_type":7}', Reason.INVALID_EVENT_TYPE),
    (b'{"data":{},"event_type":"page_view"}', Reason.EVENT_TYPE_MISMATCH),
    (b'{"data":{},"event_type":"unheard_of"}', Reason.EVENT_TYPE_MISMATCH),
    (b'{"data":{},"event_type":""}', Reason.EVENT_TYPE_MISMATCH),
    (b'{"data":{},"timestamp":1759233600}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":""}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"yesterday"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"2025-01-02"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"2025-02-30T00:00:00Z"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"2025-01-01T00:00:60Z"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"0000-01-01T00:00:00Z"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"0001-01-01T00:00:00+10:00"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"9999-12-31T23:59:59-10:00"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"9999-12-31T23:59:59.9999999Z"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"timestamp":"2025-01-01T00:00:00Z","timestamp":5}', Reason.INVALID_TIMESTAMP),
]


@pytest.mark.parametrize(("body", "reason"), BAD_MESSAGES, ids=lambda x: repr(x)[:40])
def test_bad_messages(body: bytes, reason: Reason) -> None:
    good = b'{"data":{"user_id":"neighbour"}}'
    rows, [(message, idx, _, why, kept)] = decode(good, body, good)
    assert [row["_seq"] for row in rows] == [0, 2]
    assert (message, idx, why, kept) == (1, 0, reason, body)


# Items that spoil a pack for themselves only.
BAD_ITEMS = [
    (b"7", Reason.NOT_AN_OBJECT),
    (b"[[]]", Reason.NOT_AN_OBJECT),
    (b"{}", Reason.MISSING_DATA),
    (b'{"data":{"text":"\xff"}}', Reason.NOT_UTF8),
    (b'{"data":{"value":NaN}}', Reason.NOT_JSON),
    (b'{"data":{"text":"],[{\\""},"x":nul}', Reason.NOT_JSON),
    (b'{"data":{"value":1e999}}', Reason.NUMBER_OUT_OF_RANGE),
    (b'{"data":{"deep":' + nested(300) + b"}}", Reason.TOO_DEEP),
    (b'{"data":{"deep":' + nested(100_000) + b"}}", Reason.TOO_DEEP),
    (b'{"data":{},"x":' + nested(199) + b"}", Reason.TOO_DEEP),
    (b'{"data":{},"timestamp":"0000-01-01T00:00:00Z"}', Reason.INVALID_TIMESTAMP),
    (b'{"data":{},"event_type":"error"}', Reason.EVENT_TYPE_MISMATCH),
]


@pytest.mark.parametrize(("item", "reason"), BAD_ITEMS, ids=lambda x: repr(x)[:40])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_item_leaves_its_neighbours(item: bytes, reason: Reason, place: int) -> None:
    items = [b'{"data":{"value":1}}', b'{"data":{"value":2}, "x":[",{"]}']
    items.insert(place, item)
    rows, letters = decode(b" [" + b" , ".join(items) + b"] ")
    assert [(row["_seq"], row["_idx"], row["value"]) for row in rows] == [
        (0, idx, value) for value, idx in enumerate((i for i in range(3) if i != place), start=1)
    ]
    assert letters == [(0, place, 1, reason, item)]


def test_neighbouring_bad_items_of_one_reason_are_one_dead_letter() -> None:
    rows, letters = decode(b'[1,"a",{},{"data":{}},null,{}]')
    assert [row["_idx"] for row in rows] == [3]
    assert letters == [
        (0, 0, 2, Reason.NOT_AN_OBJECT, b'[1,"a"]'),
        (0, 2, 1, Reason.MISSING_DATA, b"{}"),
        (0, 4, 1, Reason.NOT_AN_OBJECT, b"null"),
        (0, 5, 1, Reason.MISSING_DATA, b"{}"),
    ]


def test_a_pack_of_a_million_things_that_are_no_events_is_one_dead_letter() -> None:
    body = b"[" + b",".join([b"1"] * 1_000_000) + b"]"
    rows, [letter] = decode(body)
    assert rows == []
    assert letter == (0, 0, 1_000_000, Reason.NOT_AN_OBJECT, body)


@pytest.mark.parametrize("garbage", [b"\x00", b"\xff", b'"', b'["', b"[", b"{", b'{"a":', b"]", b",", b"\\"])
def test_megabytes_of_garbage_are_one_dead_letter(garbage: bytes) -> None:
    body = garbage * (2 * MEGABYTE // len(garbage))
    rows, [letter] = decode(body)
    assert rows == []
    assert letter[4] == body


def test_a_batch_of_dead_letters_has_no_rows_and_the_right_columns() -> None:
    rows, letters = DECODER.decode(batch_of([b"", b"x"]))
    assert (rows.num_rows, len(letters)) == (0, 2)
    assert rows.schema.names[-3:] == ["_partition", "_seq", "_idx"]

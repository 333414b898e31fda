"""What each message of the readings' topic becomes: rows, or dead letters with the reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.ingest.decode_readings import ReadingDecoder
from shared.ingest.models import Reason
from shared.ingest.reading_json import MAX_NAME_LENGTH
from tests.ingest.batches import TAKEN, batch_of
from tests.ingest.test_decode_events import nested

TOPIC = "sensor-data"
NOON = 1_759_233_600
LEAST = b'"asset":"a","sensor":"s","value":1'


def decode(*bodies: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, int, int, Reason, bytes]]]:
    """Rows with times in microseconds, and dead letters but for their detail."""
    rows, letters = ReadingDecoder().decode(batch_of(bodies, topic=TOPIC))
    for name in ("timestamp", "ingestion_time"):
        rows = rows.set_column(rows.schema.get_field_index(name), name, rows[name].cast("int64"))
    return rows.to_pylist(), [(x.message, x.idx, x.items, x.reason, x.body) for x in letters]


def decode_one(members: str) -> dict[str, Any]:
    """The row of a reading of asset a and sensor s with `members`."""
    [row], [] = decode(f'{{"asset":"a","sensor":"s",{members}}}'.encode())
    return row


def test_a_whole_reading() -> None:
    body = (
        b'{"asset_id":"pump-7","sensor_id":"t1","timestamp":"2025-01-02T03:04:05.000006Z","value":21.5,'
        b'"unit":"C","quality":"good","site":"north", "line" : 4}'
    )
    assert decode(body) == (
        [
            {
                "asset_id": "pump-7",
                "sensor_id": "t1",
                "timestamp": 1_735_787_045_000_006,
                "value": 21.5,
                "value_text": None,
                "unit": "C",
                "quality": "good",
                "attributes": '{"line":4,"site":"north"}',
                "ingestion_time": TAKEN,
                "_partition": 0,
                "_seq": 0,
                "_idx": 0,
            }
        ],
        [],
    )


def test_the_least_reading_gets_the_brokers_time() -> None:
    row = decode_one('"value":1')
    assert (row["timestamp"], row["ingestion_time"]) == (TAKEN, TAKEN)
    assert (row["unit"], row["quality"], row["attributes"]) == (None, None, None)


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [
        ("1", 1.0, None),
        ("-0.5e3", -500.0, None),
        ("true", 1.0, None),
        ("false", 0.0, None),
        ("null", None, None),
        ('"open"', None, "open"),
        ('"1.5"', None, "1.5"),
        ('"NaN"', None, "NaN"),
        ('""', None, ""),
        ('{"x" : 1.50}', None, '{"x" : 1.50}'),
        ("[1,  2]", None, "[1,  2]"),
        ("9007199254740993", 9007199254740992.0, None),
        ("123456789012345678901234567890", 1.2345678901234568e29, None),
        ("1e308", 1e308, None),
        ("5e-324", 5e-324, None),
        ("1e-999", 0.0, None),
        ('"\\ud83d\\ude00"', None, "😀"),
        ('"a","value":2', 2.0, None),
        ("[[" + "[" * 190 + "]" * 190 + "]]", None, "[[" + "[" * 190 + "]" * 190 + "]]"),
    ],
)
def test_values(value: str, number: float | None, text: str | None) -> None:
    row = decode_one(f'"value":{value}')
    assert (row["value"], row["value_text"]) == (number, text)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("null", None),
        ('"good"', "good"),
        ('""', ""),
        ("192", "192"),
        ("1.50", "1.50"),
        ("true", "true"),
        ('{"code": 3}', '{"code": 3}'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)
def test_units_and_qualities_are_text(label: str, text: str | None) -> None:
    row = decode_one(f'"value":1,"unit":{label},"quality":{label}')
    assert (row["unit"], row["quality"]) == (text, text)


LONGEST = "é" * MAX_NAME_LENGTH


@pytest.mark.parametrize(
    ("members", "asset", "sensor", "attributes"),
    [
        ({"asset_id": "a", "sensor_id": "s"}, "a", "s", None),
        ({"asset": "a", "sensor": "s"}, "a", "s", None),
        ({"asset": "a", "sensor_id": "s"}, "a", "s", None),
        ({"asset_id": None, "asset": "a", "sensor": "s"}, "a", "s", None),
        ({"asset_id": "a", "asset": "b", "sensor": "s"}, "a", "s", {"asset": "b"}),
        ({"asset": "b", "asset_id": "a", "sensor": "s"}, "a", "s", {"asset": "b"}),
        ({"asset_id": "a", "sensor_id": "s", "sensor": None}, "a", "s", {"sensor": None}),
        ({"asset": 17, "sensor": -3}, "17", "-3", None),
        ({"asset": "A", "sensor": "S", "Asset": "x"}, "A", "S", {"Asset": "x"}),
        ({"asset": "../..", "sensor": "/"}, "../..", "/", None),
        ({"asset": " a ", "sensor": "\u0000\n"}, " a ", "\u0000\n", None),
        ({"asset": "e\u0301", "sensor": "\u00e9"}, "e\u0301", "\u00e9", None),
        ({"asset": LONGEST, "sensor": "😀" * MAX_NAME_LENGTH}, LONGEST, "😀" * MAX_NAME_LENGTH, None),
        ({"asset": "a", "sensor": "s", "%d": 1, 'quo"te\\': 2}, "a", "s", {"%d": 1, 'quo"te\\': 2}),
        (
            {"asset": "a", "sensor": "s", "attributes": {"b": [1, {}]}},
            "a",
            "s",
            {"attributes": {"b": [1, {}]}},
        ),
    ],
    ids=lambda x: repr(x)[:40],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_names_and_further_fields(
    members: dict[str, Any],
    asset: str,
    sensor: str,
    attributes: dict[str, Any] | None,
    ascii_only: bool,
) -> None:
    body = json.dumps(members | {"value": 1}, ensure_ascii=ascii_only).encode()
    rows, [] = decode(body, body, b"[" + body + b"," + body + b"]")
    assert len(rows) == 4
    for row in rows:
        assert (row["asset_id"], row["sensor_id"]) == (asset, sensor)
        assert (None if row["attributes"] is None else json.loads(row["attributes"])) == attributes


def test_further_fields_stand_as_they_were_sent_by_name() -> None:
    row = decode_one('"value":1,"z":1.0e5,"a":{"b" : "\\u00e9"},"é":-0,"z":2.50')
    assert row["attributes"] == '{"a":{"b" : "\\u00e9"},"z":2.50,"é":-0}'


@pytest.mark.parametrize(
    ("time", "microseconds"),
    [
        ("null", TAKEN),
        ("0", 0),
        ("-1", -1_000_000),
        ("-0.0000005", 0),
        (f"{NOON}", NOON * 10**6),
        (f"{NOON}.25", NOON * 10**6 + 250_000),
        (f"{NOON}.123456", NOON * 10**6 + 123_456),
        (f'"{NOON}"', NOON * 10**6),
        (f'"{NOON}.123456"', NOON * 10**6 + 123_456),
        ("1.7592336e9", NOON * 10**6),
        (f"{NOON}123", NOON * 10**6 + 123_000),
        (f"{NOON}123.5", NOON * 10**6 + 123_500),
        (f"{NOON}123456", NOON * 10**6 + 123_456),
        (f"{NOON}123456789", NOON * 10**6 + 123_456),
        (f'"{NOON}123456789"', NOON * 10**6 + 123_456),
        (f"-{NOON}123456789", -NOON * 10**6 - 123_457),
        ("99999999999", 99_999_999_999_000_000),
        ("100000000000", 100_000_000_000_000),
        ("99999999999999", 99_999_999_999_999_000),
        ("100000000000000", 100_000_000_000_000),
        ("99999999999999999", 99_999_999_999_999_999),
        ("100000000000000000", 100_000_000_000_000),
        ("99999999999999999999", 99_999_999_999_999_999),
        ("-62135596800", -62_135_596_800_000_000),
        ('"2025-01-02T05:04:05.5+02:00"', 1_735_787_045_500_000),
        ('" 5 "', 5_000_000),
        ('"2025-01-02 03:04:05"', 1_735_787_045_000_000),
        ('"0001-01-01T00:00:00Z"', -62_135_596_800_000_000),
        ('"9999-12-31T23:59:59.999999Z"', 253_402_300_799_999_999),
    ],
)
@pytest.mark.parametrize("name", ["timestamp", "time", "ts"])
def test_times(name: str, time: str, microseconds: int) -> None:
    assert decode_one(f'"value":1,"{name}":{time}')["timestamp"] == microseconds


def test_the_first_of_several_times_counts() -> None:
    row = decode_one('"value":1,"ts":1,"time":2,"timestamp":3')
    assert (row["timestamp"], row["attributes"]) == (3_000_000, '{"time":2,"ts":1}')
    again = decode_one('"value":1,"ts":1,"timestamp":null')
    assert (again["timestamp"], again["attributes"]) == (1_000_000, None)


def test_a_form_learned_with_two_times_does_not_hide_the_second_one() -> None:
    both, one = (
        b"{" + LEAST + b',"timestamp":1,"ts":2}',
        b"{" + LEAST + b',"ts":2}',
    )
    rows, [] = decode(both, one, both, one)
    assert [row["timestamp"] for row in rows] == [1_000_000, 2_000_000] * 2


BAD = [
    (b"", Reason.EMPTY),
    (b"[]", Reason.EMPTY),
    (b"hello", Reason.NOT_JSON),
    (b"{" + LEAST, Reason.NOT_JSON),
    (b'{"asset":"a","sensor":"s","value":NaN}', Reason.NOT_JSON),
    (b'{"asset":"a","sensor":"s","value":-Infinity}', Reason.NOT_JSON),
    (b'{"asset":"\\ud800","sensor":"s","value":1}', Reason.NOT_JSON),
    (b"\xff\xfe\x00garbage", Reason.NOT_UTF8),
]
BAD_ITEMS = [
    (b"7", Reason.NOT_AN_OBJECT),
    (b'"a"', Reason.NOT_AN_OBJECT),
    (b"null", Reason.NOT_AN_OBJECT),
    (b'{"sensor":"s","value":1}', Reason.MISSING_ASSET),
    (b'{"asset":null,"sensor":"s","value":1}', Reason.MISSING_ASSET),
    (b'{"ASSET":"a","sensor":"s","value":1}', Reason.MISSING_ASSET),
    (b'{"asset":"","sensor":"s","value":1}', Reason.INVALID_ASSET),
    (b'{"asset":1.5,"sensor":"s","value":1}', Reason.INVALID_ASSET),
    (b'{"asset":true,"sensor":"s","value":1}', Reason.INVALID_ASSET),
    (b'{"asset":["a"],"sensor":"s","value":1}', Reason.INVALID_ASSET),
    (b'{"asset":"' + b"x" * (MAX_NAME_LENGTH + 1) + b'","sensor":"s","value":1}', Reason.INVALID_ASSET),
    (b'{"asset":"a","value":1}', Reason.MISSING_SENSOR),
    (b'{"asset":"a","sensor":"","value":1}', Reason.INVALID_SENSOR),
    (b'{"asset":"a","sensor":{},"value":1}', Reason.INVALID_SENSOR),
    (b'{"asset":"a","sensor":"' + b"x" * (MAX_NAME_LENGTH + 1) + b'","value":1}', Reason.INVALID_SENSOR),
    (b'{"asset":"a","sensor":"s"}', Reason.MISSING_VALUE),
    (b'{"asset":"a","sensor":"s","Value":1}', Reason.MISSING_VALUE),
    (b'{"asset":"a","sensor":"s","value":1e999}', Reason.NUMBER_OUT_OF_RANGE),
    (b'{"asset":"a","sensor":"s","value":-1e999}', Reason.NUMBER_OUT_OF_RANGE),
    (b'{"asset":"a","sensor":"s","value":' + b"9" * 400 + b"}", Reason.NUMBER_OUT_OF_RANGE),
    (b"{" + LEAST + b',"ts":"yesterday"}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":""}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":true}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":{}}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":1e999}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":100000000000000000000}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":-62135596801}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"ts":"0000-01-01T00:00:00Z"}', Reason.INVALID_TIMESTAMP),
    (b"{" + LEAST + b',"unit":"\xff"}', Reason.NOT_UTF8),
    (b"{" + LEAST + b',"further":"\xff"}', Reason.NOT_UTF8),
    (b"{" + LEAST + b',"\xff":1}', Reason.NOT_UTF8),
    (b'{"asset":"a","sensor":"s","value":["\xff"]}', Reason.NOT_UTF8),
    (b"{" + LEAST + b',"further":' + nested(200) + b"}", Reason.TOO_DEEP),
    (b'{"asset":"a","sensor":"s","value":' + nested(200) + b"}", Reason.TOO_DEEP),
    (b"{" + LEAST + b',"further":' + nested(100_000) + b"}", Reason.TOO_DEEP),
]


@pytest.mark.parametrize(("body", "reason"), BAD + BAD_ITEMS, ids=lambda x: repr(x)[:50])
def test_bad_messages(body: bytes, reason: Reason) -> None:
    good = b"{" + LEAST + b',"further":"x"}'
    rows, [letter] = decode(good, body, good)
    assert [row["_seq"] for row in rows] == [0, 2]
    assert [row["attributes"] for row in rows] == ['{"further":"x"}'] * 2
    assert letter == (1, 0, 1, reason, body)


@pytest.mark.parametrize(("item", "reason"), BAD_ITEMS, ids=lambda x: repr(x)[:50])
@pytest.mark.parametrize("place", [0, 2])
def test_one_bad_item_leaves_its_neighbours(item: bytes, reason: Reason, place: int) -> None:
    items = [b"{" + LEAST + b"}", b"{" + LEAST + b',"x":[",{"]}']
    items.insert(place, item)
    rows, letters = decode(b" [" + b" , ".join(items) + b"] ")
    assert [(row["_seq"], row["_idx"]) for row in rows] == [(0, idx) for idx in range(3) if idx != place]
    assert letters == [(0, place, 1, reason, item)]


def test_a_batch_of_dead_letters_has_no_rows_and_the_right_columns() -> None:
    rows, letters = ReadingDecoder().decode(batch_of([b"", b"x"], topic=TOPIC))
    assert (rows.num_rows, len(letters)) == (0, 2)
    assert rows.schema.names[:2] == ["asset_id", "sensor_id"]
    assert rows.schema.names[-3:] == ["_partition", "_seq", "_idx"]

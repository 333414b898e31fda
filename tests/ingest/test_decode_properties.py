"""What holds for every batch, whatever its messages are."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from shared.ingest.decode_events import EventDecoder
from shared.ingest.event_json import parse_timestamp
from shared.ingest.json_text import _walk_exceeds_depth, exceeds_depth
from shared.ingest.models import Rejected
from shared.ingest.timestamps import timestamp_column
from tests.ingest.batches import TOPIC
from tests.ingest.decoding import account_for, decoded, decoded_in_parts

DECODER = EventDecoder(TOPIC)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


# --- texts of times: well-formed ones, and others that look like them ---------------------------------------

_digits = st.text("0123456789", min_size=1, max_size=9)
TIMES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.from_regex(
        r"\d{4}-[01]\d-[0-3]\d[Tt ][0-2]\d:[0-6]\d:[0-6]\d([.,]\d{0,9})?([Zz]|[+-]\d\d:?\d\d)?",
        fullmatch=True,
    ),
    st.text("0123456789-:T .Zz+,", max_size=30),
    st.sampled_from(["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]),
)

# --- messages: events, nearly events, and anything --------------------------------------------------------

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),  # NaN and the infinities come out as no JSON
    st.text(max_size=8),
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_names = st.sampled_from(["user_id", "region", "value", "amount", "x", "é"])
_data = st.dictionaries(_names, _json, max_size=4)
_members = st.fixed_dictionaries(
    {},
    optional={
        "data": _data | _json,
        "event_id": st.text(max_size=3) | _json,
        "event_type": st.sampled_from(["transaction", "page_view", ""]) | _json,
        "timestamp": TIMES | _json,
        "metadata": _json,
        "x": _json,
    },
)
_good = st.fixed_dictionaries(
    {"data": st.fixed_dictionaries({}, optional={"user_id": st.text(max_size=5), "value": st.integers()})},
    optional={"timestamp": st.datetimes().map(lambda moment: moment.isoformat() + "Z")},
)
_texts = st.one_of(
    _good.map(json.dumps),
    _members.map(json.dumps),
    _members.map(lambda members: json.dumps(members, ensure_ascii=False)),
    _json.map(json.dumps),
)
_odd = st.sampled_from(
    [
        b"",
        b"\xff",
        b"{",
        b'{"data":{"a":"\xff"}}',
        b'{"data":{"a":"\\ud800"}}',
        b'{"data":{"a":"\\udc00\\ud800"}}',
        b'{"data":{},"metadata":{"\\udfff":1}}',
        b'{"data":{},"metadata":{"a":"\xed\xa0\x80"}}',
        b'{"data":{},"data":{"value":2}}',
        b'{"data":{},"event_type":"error","event_type":"transaction"}',
        b'{"data":{"d":' + nested(198) + b"}}",
        b'{"data":{"d":' + nested(199) + b"}}",
        b'{"data":{},"metadata":' + nested(199) + b"}",
        b'{"data":{},"metadata":' + nested(199) + b',"x":1}',
        b'{"data":{},"x":' + nested(198) + b"}",
        b'{"data":{},"timestamp":"0000-12-31T00:00:00Z"}',
        b'{"data":{"a":"\xff"},"data":{}}',
        b'{"data":' + nested(250) + b',"data":{}}',
        b'{"data":{},"metadata":"\xff","metadata":1}',
        b'{"data":{},"x":"\xff","x":1}',
        b'{"data":{},"event_id":' + nested(250) + b',"event_id":"a"}',
    ]
)
ITEMS = st.one_of(_texts.map(lambda text: text.encode("utf-8", "surrogatepass")), _odd)
PACKS = st.lists(ITEMS, max_size=5).map(lambda items: b"[" + b",".join(items) + b"]")
BODIES = st.one_of(ITEMS, PACKS, st.binary(max_size=30), ITEMS.map(lambda text: b" " + text + b"\n"))


@given(st.lists(BODIES, min_size=1, max_size=8), st.data())
def test_a_batch_gives_the_same_however_it_is_cut(bodies: list[bytes], data: st.DataObject) -> None:
    assert decoded_in_parts(DECODER, TOPIC, bodies, data) == decoded(DECODER, TOPIC, bodies)


@given(st.lists(BODIES, min_size=1, max_size=5))
def test_the_fast_path_and_the_thorough_one_agree(bodies: list[bytes]) -> None:
    # A body that does not fit its column sends its whole batch the thorough way.
    spoiler = b'{"data":{"text":"\xff"}}'
    rows, letters = decoded(DECODER, TOPIC, bodies)
    again_rows, again_letters = decoded(DECODER, TOPIC, [*bodies, spoiler])
    assert again_rows == rows
    assert again_letters[:-1] == letters


@given(st.lists(st.binary(max_size=40) | BODIES, max_size=4))
@example([b"[" * 100_000])
@example([b'{"data":{"user_id":' + b"9" * 5000 + b"}}"])
def test_nothing_is_lost(bodies: list[bytes]) -> None:
    account_for(DECODER, TOPIC, bodies)


@given(st.text('[]{}"\\x,:', max_size=40).map(str.encode) | _texts.map(str.encode), st.integers(0, 8))
@example(b"[" * 9, 8)
@example(b"[]]" + b"[" * 9, 8)
def test_depth_is_what_a_walk_through_the_text_finds(text: bytes, limit: int) -> None:
    assert exceeds_depth(text, limit) == _walk_exceeds_depth(text, limit)


@given(TIMES)
def test_the_cast_and_the_parser_agree_on_times(text: str) -> None:
    try:
        parsed = parse_timestamp(text)
    except Rejected:
        parsed = None
    try:
        cast = timestamp_column([text]).cast(pa.int64())[0].as_py()
    except Rejected:
        cast = None
    expected = None if parsed is None else timestamp_column([parsed]).cast(pa.int64())[0].as_py()
    assert cast == expected


@given(st.lists(TIMES, min_size=1, max_size=5))
def test_a_time_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    def alone(text: str) -> int | None:
        try:
            number: int = timestamp_column([text]).cast(pa.int64())[0].as_py()
        except Rejected:
            return None
        return number

    valid = [text for text in texts if alone(text) is not None]
    if valid:
        assert timestamp_column(valid).cast(pa.int64()).to_pylist() == [alone(text) for text in valid]

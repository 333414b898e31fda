"""What holds for every batch of readings, whatever its messages are and whatever came before."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from shared.ingest.decode_readings import ReadingDecoder
from shared.ingest.models import Rejected
from shared.ingest.reading_times import microseconds, microseconds_of
from tests.ingest.decoding import account_for, decoded, decoded_in_parts
from tests.ingest.test_decode_properties import TIMES, nested

TOPIC = "sensor-data"
# It learns from all examples, which must make no difference.
DECODER = ReadingDecoder()
# A body whose time is found out to be wrong only by its column sends the whole batch the thorough way.
SPOILER = b'{"asset":"a","sensor":"s","value":1,"timestamp":"yesterday"}'

_numbers = st.one_of(
    st.integers(-(10**21), 10**21),
    st.integers(-(10**18), 10**18).map(lambda number: number / 7),
    st.sampled_from([10**11, 10**14, 10**17, 10**20]).flatmap(
        lambda bound: st.integers(bound - 2, bound + 2)
    ),
    st.sampled_from([-62_135_596_800, -62_135_596_801, 253_402_300_799, -62_135_596_800_001, 0]),
)
MOMENTS = st.one_of(TIMES, _numbers, _numbers.map(str), st.none())

_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40), st.floats(), st.text(max_size=8)
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
_names = st.text(min_size=1, max_size=5) | st.integers(-5, 10**30)
_good = st.fixed_dictionaries(
    {"asset": _names, "sensor": _names, "value": st.floats(-10, 10) | st.booleans() | st.text(max_size=5)},
    optional={
        "timestamp": MOMENTS,
        "ts": MOMENTS,
        "unit": st.text(max_size=3),
        "line": st.integers(0, 9),
        "x": _json,
    },
)
_spellings = st.sampled_from(
    ["asset_id", "asset", "sensor_id", "sensor", "value", "timestamp", "time", "ts", "unit", "quality", "x"]
)
_members = st.dictionaries(_spellings | st.text(max_size=3), _names | MOMENTS | _json, max_size=9)
_texts = st.one_of(
    _good.map(json.dumps),
    st.tuples(_good, _members).map(lambda both: json.dumps(both[0] | both[1], ensure_ascii=False)),
    _members.map(json.dumps),
    _json.map(json.dumps),
)
# Members that a dictionary cannot have: twice, or not what they should be.
_odd_members = st.sampled_from(
    [
        b'"x":"\xff"',
        b'"x":"\xff","x":1',
        b'"unit":"\xff","unit":"C"',
        b'"\xff":1',
        b'"x":"\\ud800"',
        b'"\\u0078":1,"x":2',
        b'"x":' + nested(199),
        b'"x":' + nested(200),
        b'"x":' + nested(200) + b',"x":1',
        b'"value":' + nested(199),
        b'"value":' + nested(200),
        b'"value":' + nested(200) + b',"value":1',
        b'"value":"\xff","value":2',
        b'"asset":"","asset":"b"',
        b'"ts":5,"timestamp":6',
        b'"ts":true,"ts":5',
        b'"%":1,"%s":2,"a\\"b":3',
        b'"value":-0.0,"unit":-0,"quality":1e2',
        b'"value":1e-400',
    ]
)
_odd = st.tuples(st.sampled_from([b'"asset":"a","sensor":"s","value":1', b'"asset":"a"']), _odd_members).map(
    lambda both: b"{" + b",".join(both) + b"}"
)
ITEMS = st.one_of(_texts.map(lambda text: text.encode("utf-8", "surrogatepass")), _odd)
PACKS = st.lists(ITEMS, max_size=5).map(lambda items: b"[" + b",".join(items) + b"]")
BODIES = st.one_of(ITEMS, PACKS, st.binary(max_size=30), ITEMS.map(lambda text: b" " + text + b"\n"))


@given(st.lists(BODIES, min_size=1, max_size=8), st.data())
def test_a_batch_gives_the_same_however_it_is_cut(bodies: list[bytes], data: st.DataObject) -> None:
    assert decoded_in_parts(DECODER, TOPIC, bodies, data) == decoded(DECODER, TOPIC, bodies)


@given(st.lists(BODIES, min_size=1, max_size=5))
def test_the_fast_path_and_the_thorough_one_agree(bodies: list[bytes]) -> None:
    rows, letters = decoded(DECODER, TOPIC, bodies)
    again_rows, again_letters = decoded(DECODER, TOPIC, [*bodies, SPOILER])
    assert again_rows == rows
    assert again_letters[:-1] == letters


@given(st.lists(ITEMS, min_size=1, max_size=5), st.lists(BODIES, max_size=3))
def test_what_was_learned_makes_no_difference(bodies: list[bytes], before: list[bytes]) -> None:
    knowing = ReadingDecoder()
    decoded(knowing, TOPIC, [*before, *bodies])
    assert decoded(knowing, TOPIC, bodies) == decoded(ReadingDecoder(), TOPIC, bodies)


@given(st.lists(st.binary(max_size=40) | BODIES, max_size=4))
@example([b"[" * 100_000])
@example([b'{"asset":' + b"9" * 5000 + b"}"])
def test_nothing_is_lost(bodies: list[bytes]) -> None:
    account_for(DECODER, TOPIC, bodies)


@given(st.lists(MOMENTS, min_size=1, max_size=6))
def test_a_time_does_not_depend_on_its_neighbours(times: list[Any]) -> None:
    valid = []
    for time in times:
        try:
            valid.append((time, 7 if time is None else microseconds(time)))
        except Rejected:
            continue
    if valid:
        taken = np.full(len(valid), 7)
        assert microseconds_of([time for time, _ in valid], taken).tolist() == [known for _, known in valid]


@given(st.lists(_numbers, min_size=1, max_size=4))
def test_times_that_are_none_are_found(times: list[int | float]) -> None:
    def is_none(time: int | float) -> bool:
        try:
            microseconds(time)
        except Rejected:
            return True
        return False

    try:
        microseconds_of(times, np.zeros(len(times)))
    except Rejected:
        assert any(map(is_none, times))
    else:
        assert not any(map(is_none, times))


def test_forms_learn_the_further_fields_of_all_readings() -> None:
    decoder = ReadingDecoder()
    bodies = [
        json.dumps({"asset": "a", "sensor": "s", "value": 1} | {f"f{n}": n for n in range(count)}).encode()
        for count in (3, 1, 0, 70, 2, 100)
    ]
    rows, letters = decoded(decoder, TOPIC, bodies)
    assert letters == []
    assert [len(json.loads(row["attributes"] or "{}")) for row in rows] == [3, 1, 0, 70, 2, 100]

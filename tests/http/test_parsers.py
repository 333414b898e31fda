"""Gzip, content types, times and numbers, against everything that can be sent."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from functions._http.bodies import accepts, decode_json, unpack
from functions._http.declaration import JSON_TYPES
from functions._http.parameters import CommaList, WholeNumber
from shared.platform.clock import to_rfc3339
from shared.platform.errors import BadRequest, PayloadTooLarge
from shared.platform.times import parse_time


class Numbers(BaseModel):
    number: WholeNumber = 0
    words: CommaList = []


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_gzip_members_unpack_to_what_was_packed(members: list[bytes]) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    assert unpack(packed, 1000) == b"".join(members)


@given(st.binary(min_size=1, max_size=300), st.integers(1, 300))
def test_unpacking_stops_at_the_limit(content: bytes, limit: int) -> None:
    if len(content) <= limit:
        assert unpack(gzip.compress(content), limit) == content
    else:
        with pytest.raises(PayloadTooLarge):
            unpack(gzip.compress(content), limit)


@given(st.binary(max_size=200))
def test_what_is_no_gzip_is_a_bad_request(content: bytes) -> None:
    with pytest.raises(BadRequest):
        unpack(b"\x1f\x8b" + content, 1000)


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    with pytest.raises(PayloadTooLarge):
        unpack(bomb, 2**20)


def test_endless_members_are_refused() -> None:
    with pytest.raises(BadRequest, match="members"):
        unpack(gzip.compress(b"") * 10_000, 2**20)


@given(st.text())
def test_content_types_never_raise(text: str) -> None:
    accepts(JSON_TYPES, text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("application/json", True),
        ("APPLICATION/JSON ;charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/cloudevents+json", True),
        ("text/json", True),
        ("application/jsonx", False),
        ("application/xml", False),
        ("application/json; charset=latin-1", False),
        ("*/*", False),
        (";", False),
    ],
)
def test_content_types(text: str, taken: bool) -> None:
    assert accepts(JSON_TYPES, text) is taken


@given(st.binary(max_size=50))
def test_json_is_decoded_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        decode_json(body)


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=offsets)


@given(moments)
def test_times_survive_being_written_and_read(moment: datetime) -> None:
    assert parse_time(moment.isoformat()) == moment
    assert parse_time(moment.isoformat().replace("+", " ")) == moment
    written = to_rfc3339(moment)
    assert written.endswith("Z")
    assert parse_time(written) == moment


@given(st.text(max_size=40))
def test_any_text_is_a_time_in_utc_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-09-30T00:00:00", "2025-09-30T00:00:00Z"),
        ("2025-09-30t00:00:00z", "2025-09-30T00:00:00Z"),
        ("2025-09-30 00:00:00", "2025-09-30T00:00:00Z"),
        ("2025-09-30T00:00:00.123456789Z", "2025-09-30T00:00:00.123456Z"),
        ("2025-09-30T00:00:00-05:30", "2025-09-30T05:30:00Z"),
        ("2025-09-30 00:00:00 02:00", "2025-09-29T22:00:00Z"),
    ],
)
def test_times(text: str, expected: str) -> None:
    assert to_rfc3339(parse_time(text)) == expected


@given(st.integers(-(10**17), 10**17))
def test_whole_numbers(number: int) -> None:
    assert Numbers.model_validate({"number": str(number)}).number == number


@given(st.text(max_size=20).filter(lambda text: not text.removeprefix("-").isdigit()))
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Numbers.model_validate({"number": text})


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True)))
def test_lists_are_split_at_commas(words: list[str]) -> None:
    assert Numbers.model_validate({"words": ",".join(words)}).words == words

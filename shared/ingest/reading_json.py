"""The JSON of one sensor reading: the fast reading of the usual forms, and the thorough one of all others.

Both give the same `Reading` for the same bytes. docs/sensors.md says to users how fields are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, cast

import msgspec

from shared.ingest.json_text import MAX_DEPTH, encode, exceeds_depth, members_of, too_deep
from shared.ingest.models import Reason, Rejected

# Longer names would not fit the paths and statistics of the lake; see docs/sensors.md.
MAX_NAME_LENGTH = 1024

# A plant's numbers are names too.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_LENGTH)] | int
Value = float | bool | str | None
Time = str | int | float | None
Label = str | int | None

# The first of the names that a reading has, with a value that is not null, is the one that counts.
ASSET = ("asset_id", "asset")
SENSOR = ("sensor_id", "sensor")
TIME = ("timestamp", "time", "ts")


class Reading(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A reading in the full spelling; the timestamp is unchecked.

    A `value`, `unit` or `quality` of another JSON type is its text here.
    """

    asset_id: Name
    sensor_id: Name
    value: Value
    timestamp: Time = None
    unit: Label = None
    quality: Label = None


_decode_name = msgspec.json.Decoder(Name).decode
_decode_value = msgspec.json.Decoder(Value).decode
_decode_time = msgspec.json.Decoder(Time).decode
_decode_label = msgspec.json.Decoder(Label).decode
_ABSENT = msgspec.Raw(b"null")


class Parsed(NamedTuple):
    """A reading, the JSON object of its further fields (None without any), and the names of all fields."""

    reading: Reading
    attributes: bytes | None
    names: frozenset[str]


def parse_reading(text: bytes) -> Parsed:
    """The reading in `text`. Raises Rejected, except for a timestamp that is out of range or no time."""
    members = members_of(text, "a reading")
    names = frozenset(members)
    reading = Reading(
        _name(members, ASSET, Reason.MISSING_ASSET, Reason.INVALID_ASSET),
        _name(members, SENSOR, Reason.MISSING_SENSOR, Reason.INVALID_SENSOR),
        _value(members),
        _time(members),
        _label(members, "unit"),
        _label(members, "quality"),
    )
    attributes = encode(dict(sorted(members.items()))) if members else None
    return Parsed(reading, attributes, names)


def check_depth(attributes: bytes) -> None:
    """Raises Rejected where the JSON object of further fields nests deeper than every reader takes."""
    if len(attributes) > 2 * MAX_DEPTH and exceeds_depth(attributes, MAX_DEPTH):
        raise too_deep()


def _pop(members: dict[str, msgspec.Raw], names: tuple[str, ...]) -> msgspec.Raw:
    """Takes the first of `names` that is there and not null out of `members`, and nulls before it."""
    for name in names:
        raw = members.pop(name, _ABSENT)
        if raw is not _ABSENT and bytes(raw) != b"null":
            return raw
    return _ABSENT


def _name(members: dict[str, msgspec.Raw], names: tuple[str, ...], missing: Reason, invalid: Reason) -> Name:
    raw = _pop(members, names)
    if raw is _ABSENT:
        raise Rejected(missing, f"Missing required field: {' or '.join(names)}")
    try:
        return cast("Name", _decoded(_decode_name, raw, names[0]))
    except msgspec.ValidationError:
        limit = f"a string of 1 to {MAX_NAME_LENGTH} characters, or a whole number"
        raise Rejected(invalid, f"{names[0]} must be {limit}") from None


def _value(members: dict[str, msgspec.Raw]) -> Value:
    raw = members.pop("value", None)
    if raw is None:
        raise Rejected(Reason.MISSING_VALUE, "Missing required field: value")
    try:
        return cast("Value", _decoded(_decode_value, raw, "value"))
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            raise Rejected(Reason.NUMBER_OUT_OF_RANGE, f"value: {error}") from None
        return bytes(raw).decode()


def _time(members: dict[str, msgspec.Raw]) -> Time:
    try:
        return cast("Time", _decoded(_decode_time, _pop(members, TIME), "timestamp"))
    except msgspec.ValidationError:
        wanted = "RFC 3339 text or a number since 1970"
        raise Rejected(Reason.INVALID_TIMESTAMP, f"timestamp must be {wanted}") from None


def _label(members: dict[str, msgspec.Raw], name: str) -> Label:
    raw = members.pop(name, _ABSENT)
    try:
        return cast("Label", _decoded(_decode_label, raw, name))
    except msgspec.ValidationError:
        return bytes(raw).decode()


def _decoded(decode: Callable[[msgspec.Raw], Any], raw: msgspec.Raw, name: str) -> object:
    """Raises ValidationError where `raw` is JSON of another type, else Rejected."""
    try:
        return decode(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.MsgspecError as error:
        raise Rejected(Reason.NOT_JSON, f"{name}: {error}") from None

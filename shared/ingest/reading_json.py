"""The JSON of one sensor reading: the fast reading of the usual forms, and the thorough one of all others.

Both give the same `Reading` for the same bytes. docs/sensors.md says to users how fields are read.
"""

from __future__ import annotations

from typing import Annotated, cast

import msgspec

from shared.ingest.event_json import MAX_DEPTH, check_utf8, encode, exceeds_depth
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
    """A reading as it stands in a message, in the full spelling; the timestamp is unchecked.

    A `value` that is a JSON object or array is its text here.
    """

    asset_id: Name
    sensor_id: Name
    value: Value
    timestamp: Time = None
    unit: Label = None
    quality: Label = None


class ShortReading(
    Reading, gc=False, forbid_unknown_fields=True, rename={"asset_id": "asset", "sensor_id": "sensor"}
):
    """A reading in the short spelling."""


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_name = msgspec.json.Decoder(Name).decode
_decode_value = msgspec.json.Decoder(Value).decode
_decode_time = msgspec.json.Decoder(Time).decode
_decode_label = msgspec.json.Decoder(Label).decode
_ABSENT = msgspec.Raw(b"null")
_BLANK = b" \t\r\n"


def parse_reading(text: bytes) -> tuple[Reading, bytes | None]:
    """The reading in `text`, and the JSON object of its further fields, None where it has none.

    Raises Rejected, except for a wrong timestamp.
    """
    members = _members(text)
    reading = Reading(
        _name(members, ASSET, Reason.MISSING_ASSET, Reason.INVALID_ASSET),
        _name(members, SENSOR, Reason.MISSING_SENSOR, Reason.INVALID_SENSOR),
        _value(members),
        _time(members),
        _label(members, "unit"),
        _label(members, "quality"),
    )
    return reading, encode(members) if members else None


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    if text.lstrip(_BLANK)[:1] != b"{":
        raise Rejected(Reason.NOT_AN_OBJECT, "a reading is a JSON object")
    if not text.isascii():
        check_utf8(text)
    if len(text) > 2 * MAX_DEPTH and exceeds_depth(text, MAX_DEPTH):
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")
    try:
        return _decode_object(text)
    except msgspec.MsgspecError as error:
        raise Rejected(Reason.NOT_JSON, str(error)) from None


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
        return cast("Name", _decode_name(raw))
    except msgspec.ValidationError:
        limit = f"a string of 1 to {MAX_NAME_LENGTH} characters, or a whole number"
        raise Rejected(invalid, f"{names[0]} must be {limit}") from None
    except msgspec.MsgspecError as error:
        raise _no_json(names[0], error) from None


def _value(members: dict[str, msgspec.Raw]) -> Value:
    raw = members.pop("value", None)
    if raw is None:
        raise Rejected(Reason.MISSING_VALUE, "Missing required field: value")
    try:
        return cast("Value", _decode_value(raw))
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            raise Rejected(Reason.NUMBER_OUT_OF_RANGE, f"value: {error}") from None
        return bytes(raw).decode()
    except msgspec.MsgspecError as error:
        raise _no_json("value", error) from None


def _time(members: dict[str, msgspec.Raw]) -> Time:
    raw = _pop(members, TIME)
    try:
        return cast("Time", _decode_time(raw))
    except msgspec.ValidationError:
        raise Rejected(
            Reason.INVALID_TIMESTAMP, "the timestamp must be RFC 3339 text or a number since 1970"
        ) from None
    except msgspec.MsgspecError as error:
        raise _no_json("timestamp", error) from None


def _label(members: dict[str, msgspec.Raw], name: str) -> Label:
    raw = members.pop(name, _ABSENT)
    try:
        return cast("Label", _decode_label(raw))
    except msgspec.ValidationError:
        return bytes(raw).decode()
    except msgspec.MsgspecError as error:
        raise _no_json(name, error) from None


def _no_json(name: str, error: msgspec.MsgspecError) -> Rejected:
    return Rejected(Reason.NOT_JSON, f"{name}: {error}")

"""The JSON of one event: the fast reading, and the thorough one that says what is wrong.

Both give the same `Event` and `Fields` for the same valid bytes. The fast one (the decoders below) refuses
whatever is unusual; the thorough one (`parse_event`) takes what can be taken and names the reason otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

import msgspec

from shared.ingest.json_text import MAX_DEPTH, encode, exceeds_depth, members_of, too_deep
from shared.ingest.models import Reason, Rejected

# Longer ids would not fit a row of the state tables.
MAX_ID_LENGTH = 1024

KNOWN_FIELDS = frozenset({"event_id", "event_type", "timestamp", "data", "metadata"})
NO_METADATA = msgspec.Raw(b"")

EventId = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_LENGTH)]


class Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An event as it stands in a message; `data` and `metadata` are JSON text, `timestamp` is unchecked."""

    data: msgspec.Raw
    event_id: EventId | None = None
    event_type: str | None = None
    timestamp: str | None = None
    metadata: msgspec.Raw = NO_METADATA


class Fields(msgspec.Struct, gc=False):
    """What is taken out of an event's `data`."""

    user_id: str | None = None
    region: str | None = None
    value: float | None = None
    amount: float | None = None


class _LooseFields(msgspec.Struct):
    user_id: Any = None
    region: Any = None
    value: Any = None
    amount: Any = None


def event_type_for(event_type: str) -> type[Event]:
    """An Event whose `event_type` may only be `event_type`, or absent."""
    fitting = msgspec.defstruct(
        f"Event_{event_type}",
        [("event_type", Literal[event_type] | None, None)],
        bases=(Event,),
        gc=False,
        forbid_unknown_fields=True,
    )
    return cast("type[Event]", fitting)


decode_fields = msgspec.json.Decoder(Fields).decode
_decode_loose = msgspec.json.Decoder(_LooseFields).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def parse_event(text: bytes, event_type: str | None) -> tuple[Event, Fields]:
    """The event in `text`.

    `event_type` is the one its topic stands for; None takes any. The timestamp comes out canonical (RFC 3339,
    UTC, `Z`), unknown fields inside `metadata`. Raises Rejected.
    """
    raw = members_of(text, "an event")
    data = raw.get("data")
    if data is None or bytes(data) == b"null":
        raise Rejected(Reason.MISSING_DATA, "Missing required field: data")
    event = Event(
        data=data,
        event_id=_event_id(raw),
        event_type=_event_type(raw, event_type),
        timestamp=_timestamp(raw),
        metadata=merged_metadata(raw),
    )
    if exceeds_depth(bytes(event.metadata), MAX_DEPTH - 1):  # unknown fields went a level down
        raise too_deep(" with its further fields")
    return event, parse_fields(data)


def parse_fields(data: msgspec.Raw) -> Fields:
    """What is taken out of `data`, forgiving about types: scalars become text where text is due."""
    try:
        return decode_fields(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        loose = _decode_loose(data)
    except msgspec.ValidationError as error:
        if "out of range" in str(error):
            raise Rejected(Reason.NUMBER_OUT_OF_RANGE, f"data: {error}") from None
        raise Rejected(Reason.INVALID_DATA, "data must be a JSON object") from None
    except msgspec.MsgspecError as error:
        raise Rejected(Reason.NOT_JSON, f"data: {error}") from None
    return Fields(_text(loose.user_id), _text(loose.region), _number(loose.value), _number(loose.amount))


def merged_metadata(raw: dict[str, msgspec.Raw]) -> msgspec.Raw:
    """The event's metadata as sent; with its unknown fields, where it has any, as further members.

    A metadata that is no object, or one that an unknown field would hide, is kept under `metadata`.
    """
    metadata = raw.get("metadata", NO_METADATA)
    if bytes(metadata) == b"null":
        metadata = NO_METADATA
    extras = {name: value for name, value in raw.items() if name not in KNOWN_FIELDS}
    if not extras:
        return metadata
    if not bytes(metadata):
        return msgspec.Raw(encode(extras))
    members = _decode_object(metadata) if bytes(metadata).lstrip()[:1] == b"{" else None
    if members is None or members.keys() & extras.keys():
        return msgspec.Raw(encode({"metadata": metadata, **extras}))
    return msgspec.Raw(encode({**members, **extras}))


def parse_timestamp(text: str) -> str:
    """`text` (RFC 3339; naive is UTC) as canonical UTC with `Z`; raises Rejected."""
    try:
        moment = msgspec.convert(text, datetime)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise Rejected(Reason.INVALID_TIMESTAMP, f"timestamp is not RFC 3339: {text[:64]!r}") from None
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _event_id(raw: dict[str, msgspec.Raw]) -> str | None:
    value = _scalar(raw, "event_id")
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > MAX_ID_LENGTH:
        raise Rejected(
            Reason.INVALID_EVENT_ID, f"event_id must be a string of 1 to {MAX_ID_LENGTH} characters"
        )
    return value


def _event_type(raw: dict[str, msgspec.Raw], expected: str | None) -> str | None:
    value = _scalar(raw, "event_type")
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected(Reason.INVALID_EVENT_TYPE, "event_type must be a string")
    if expected is not None and value != expected:
        raise Rejected(
            Reason.EVENT_TYPE_MISMATCH, f"event_type is {value[:64]!r}, but the topic is {expected!r}'s"
        )
    return value


def _timestamp(raw: dict[str, msgspec.Raw]) -> str | None:
    value = _scalar(raw, "timestamp")
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected(Reason.INVALID_TIMESTAMP, "timestamp must be a string in RFC 3339")
    return parse_timestamp(value)


def _scalar(raw: dict[str, msgspec.Raw], name: str) -> object:
    if name not in raw:
        return None
    try:
        value: object = msgspec.json.decode(raw[name])
    except msgspec.ValidationError as error:
        raise Rejected(Reason.NUMBER_OUT_OF_RANGE, f"{name}: {error}") from None
    except msgspec.MsgspecError as error:
        raise Rejected(Reason.NOT_JSON, f"{name}: {error}") from None
    return value


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return encode(value).decode() if isinstance(value, bool | int | float) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        raise Rejected(Reason.NUMBER_OUT_OF_RANGE, "data: a number is out of range") from None

"""The JSON of one event: the fast reading, and the thorough one that says what is wrong.

Both give the same `Event` and `Fields` for the same valid bytes. The fast one (the decoders below) refuses
whatever is unusual; the thorough one (`parse_event`) takes what can be taken and names the reason otherwise.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

import msgspec

from shared.ingest.models import Reason, Rejected

# Levels of nesting that every JSON parser in common use still reads; deeper events would break readers.
MAX_DEPTH = 200
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
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_raw = msgspec.json.Decoder(msgspec.Raw).decode
encode = msgspec.json.Encoder().encode

_BLANK = b" \t\r\n"
# Whole strings, and what cuts JSON into its parts; a quote alone opens a string that never ends.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|["\[\]{},]', re.DOTALL)
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def split_message(body: bytes) -> list[bytes]:
    """The JSON values of a message: the items of an array (a packed message), else the one it holds.

    Raises Rejected when the message is empty, not JSON, or an array of nothing. Whether the items of an
    array are JSON and UTF-8 is for each of them to say, so that one does not take its neighbours along.
    """
    text = body.strip(_BLANK)
    if not text:
        raise Rejected(Reason.EMPTY, "the message has no content")
    packed = text[:1] == b"["
    try:
        check_json(body)
    except Rejected:
        items = _cut(text) if packed else []
        if not any(map(_is_object, items)):
            raise
        return items
    if not packed:
        return [body]
    items = [bytes(item) for item in _decode_items(body)]
    if not items:
        raise Rejected(Reason.EMPTY, "the array holds no event")
    return items


def _cut(array: bytes) -> list[bytes]:
    """The items of an array that is not JSON as a whole, by its strings and brackets; none where these do
    not tell."""
    items: list[bytes] = []
    depth = start = 0
    for mark in _MARKS.finditer(array):
        token = mark[0]
        if token in (b"[", b"{"):
            depth += 1
            start = start or mark.end()
        elif token in (b"]", b"}"):
            depth -= 1
        elif token == b'"':
            break
        if depth == 0 or (depth == 1 and token == b","):
            items.append(array[start : mark.start()].strip(_BLANK))
            start = mark.end()
        if depth == 0:
            return items if start == len(array) else []
    return []


def _is_object(text: bytes) -> bool:
    try:
        return bool(_decode_object(text))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def check_json(body: bytes) -> None:
    """Raises Rejected unless `body` is JSON; the inside of its strings may still not be UTF-8."""
    try:
        _decode_raw(body)
    except RecursionError:
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        check_utf8(body)
        raise Rejected(Reason.NOT_JSON, str(error)) from None


def check_utf8(text: bytes) -> None:
    """Raises Rejected unless `text` is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise Rejected(Reason.NOT_UTF8, f"not UTF-8 at byte {error.start}") from None


def parse_event(text: bytes, event_type: str | None) -> tuple[Event, Fields]:
    """The event in `text`.

    `event_type` is the one its topic stands for; None takes any. The timestamp comes out canonical (RFC 3339,
    UTC, `Z`), unknown fields inside `metadata`. Raises Rejected.
    """
    if text.lstrip(_BLANK)[:1] != b"{":
        raise Rejected(Reason.NOT_AN_OBJECT, "an event is a JSON object")
    check_utf8(text)
    if exceeds_depth(text, MAX_DEPTH):
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")
    try:
        raw = _decode_object(text)
    except msgspec.MsgspecError as error:
        raise Rejected(Reason.NOT_JSON, str(error)) from None
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
        raise Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels with its further fields")
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


def exceeds_depth(text: bytes, limit: int) -> bool:
    """Whether the JSON in `text` nests deeper than `limit` levels."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    # Long lists of small things are common: take the innermost pairs away, a level at a time.
    brackets = _STRINGS.sub(b"", text).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(limit):
        if not brackets:
            return False
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return bool(brackets) and _walk_exceeds_depth(text, limit)


def _walk_exceeds_depth(text: bytes, limit: int) -> bool:
    """`exceeds_depth`, byte by byte, for text that may be no JSON."""
    depth = 0
    inside_string = False
    bytes_left = iter(text)
    for byte in bytes_left:
        if inside_string:
            if byte == 0x5C:  # a backslash: what follows is escaped
                next(bytes_left, None)
            inside_string = byte != 0x22
        elif byte == 0x22:
            inside_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > limit:
                return True
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return False


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

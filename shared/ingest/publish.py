"""Events that come over HTTP: checked, completed, packed by topic and partition, and sent to the broker."""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from shared.ingest.event_json import NO_METADATA, Event, decode_fields, parse_event
from shared.ingest.json_text import MAX_DEPTH, check_json, check_utf8, encode, exceeds_depth
from shared.ingest.models import Reason, Rejected
from shared.ingest.ports import OutgoingMessage, Position, Publisher
from shared.platform.clock import Clock
from shared.platform.errors import BadRequest, BrokerUnavailable, PayloadTooLarge
from shared.streams.events import EVENT_TYPES, topic_of
from shared.telemetry.origins import outgoing

_FROM_HTTP = msgspec.Raw(b'{"source":"http"}')
_ODD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Rejected)


class _Incoming(Event, gc=False, forbid_unknown_fields=True):
    """An event in a batch, read the fast way."""

    event_type: Literal[EVENT_TYPES] | None = None  # type: ignore[valid-type]
    timestamp: datetime | None = None  # type: ignore[assignment]


_decode_batch = msgspec.json.Decoder(list[_Incoming]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class PublishLimits:
    """What a request may hold, and how large a packed message becomes, in bytes."""

    event_bytes: int
    batch_events: int
    pack_bytes: int


class Submitted(msgspec.Struct, gc=False, omit_defaults=True):
    """One event of a batch: taken where `error` is None. Made by the thousand, so encoded as it is."""

    event_id: str | None
    status: Literal["submitted", "rejected"]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A single event and where the broker put it."""

    event_id: str
    position: Position


class EventIntake:
    """Takes events for the broker; what it acknowledges, the broker has."""

    def __init__(self, publisher: Publisher, limits: PublishLimits, clock: Clock) -> None:
        self._publisher = publisher
        self._limits = limits
        self._clock = clock

    async def take_one(self, body: bytes) -> Accepted:
        """Publishes the event in `body`.

        Raises BadRequest, PayloadTooLarge, or BrokerUnavailable when the broker did not acknowledge it.
        """
        if len(body) > self._limits.event_bytes:
            raise PayloadTooLarge(f"an event may have {self._limits.event_bytes} bytes")
        try:
            check_json(body)
            event, key = self._parse(body)
        except Rejected as error:
            raise BadRequest(error.message) from None
        self._complete([event])
        messages = await self._messages([(event, key)])
        [outcome] = await self._publisher.publish([message for message, _ in messages])
        assert event.event_id is not None
        if isinstance(outcome, Exception):
            raise BrokerUnavailable(f"{outcome}; it may have {event.event_id} all the same") from outcome
        return Accepted(event.event_id, outcome)

    async def take_batch(self, body: bytes) -> list[Submitted]:
        """Publishes the events in `body`, a JSON array, and says of each, in order, whether it was taken.

        Raises BadRequest when `body` is no array of events, PayloadTooLarge when it holds too many, and
        BrokerUnavailable when the broker acknowledged none of the valid ones.
        """
        events = self._read_batch(body)
        valid = [event for event in events if isinstance(event, tuple)]
        self._complete([event for event, _ in valid])
        lost = await self._send(valid)
        if not lost and len(valid) == len(events):
            return [Submitted(event.event_id, "submitted") for event, _ in valid]
        return [_submitted(event, lost) for event in events]

    def _read_batch(self, body: bytes) -> list[tuple[Event, str] | Rejected]:
        try:
            check_utf8(body)
            events = _decode_batch(body)
            self._check_count(len(events))
            return [(event, self._quick_key(event)) for event in events]
        except _ODD:
            return self._read_thoroughly(body)

    def _quick_key(self, event: _Incoming) -> str:
        """The key of an event that was read the fast way; raises where the thorough one has to look."""
        moment = event.timestamp
        if event.event_type is None or (moment is not None and not 1 < moment.year < 9999):
            raise Rejected(Reason.INVALID_TIMESTAMP, "to be looked at")
        if event.metadata is not NO_METADATA:
            event.metadata = _with_source(event.metadata)
        size = len(event.data) + len(event.metadata)
        if size > self._limits.event_bytes // 2 or (
            size >= 2 * MAX_DEPTH and (_too_deep(event.data) or _too_deep(event.metadata))
        ):
            raise Rejected(Reason.TOO_DEEP, "to be looked at")
        return decode_fields(event.data).user_id or ""

    def _read_thoroughly(self, body: bytes) -> list[tuple[Event, str] | Rejected]:
        try:
            check_json(body)
            items = _decode_items(body)
        except Rejected as error:
            raise BadRequest(error.message) from None
        except msgspec.MsgspecError:
            raise BadRequest("a batch is a JSON array of events") from None
        self._check_count(len(items))
        events: list[tuple[Event, str] | Rejected] = []
        for item in items:
            try:
                events.append(self._parse(bytes(item)))
            except Rejected as error:
                events.append(error)
        return events

    def _check_count(self, count: int) -> None:
        if count == 0:
            raise BadRequest("the batch holds no events")
        if count > self._limits.batch_events:
            raise PayloadTooLarge(f"a batch may hold {self._limits.batch_events} events")

    def _parse(self, text: bytes) -> tuple[Event, str]:
        """The event in `text` and its key (empty where `data` names no user); raises Rejected."""
        if len(text) > self._limits.event_bytes:
            raise Rejected(Reason.INVALID_DATA, f"an event may have {self._limits.event_bytes} bytes")
        event, fields = parse_event(text, None)
        if event.event_type is None:
            raise Rejected(Reason.INVALID_EVENT_TYPE, "Missing required field: event_type")
        if event.event_type not in EVENT_TYPES:
            allowed = ", ".join(EVENT_TYPES)
            raise Rejected(Reason.INVALID_EVENT_TYPE, f"event_type must be one of {allowed}")
        event.metadata = _with_source(event.metadata)
        if _too_deep(event.metadata):
            raise Rejected(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels with its source")
        return event, fields.user_id or ""

    def _complete(self, events: Sequence[Event]) -> None:
        """Gives ids, times and a source to the events that have none."""
        now = self._clock().replace(tzinfo=None).isoformat() + "Z"
        ids = _new_ids(sum(event.event_id is None for event in events))
        for event in events:
            if event.event_id is None:
                event.event_id = next(ids)
            if event.timestamp is None:
                event.timestamp = now
            if event.metadata is NO_METADATA:
                event.metadata = _FROM_HTTP

    async def _send(self, events: Sequence[tuple[Event, str]]) -> dict[int, str]:
        """Sends all and returns which were not acknowledged, by identity, and why."""
        if not events:
            return {}
        packed = await self._messages(events)
        outcomes = await self._publisher.publish([message for message, _ in packed])
        lost: dict[int, str] = {}
        for (_, members), outcome in zip(packed, outcomes, strict=True):
            if isinstance(outcome, Exception):
                lost |= dict.fromkeys(map(id, members), str(outcome))
        if len(lost) == len(events):
            raise BrokerUnavailable(
                f"the broker acknowledged none of the {len(events)} events; send them again"
            )
        return lost

    async def _messages(
        self, events: Iterable[tuple[Event, str]]
    ) -> list[tuple[OutgoingMessage, list[Event]]]:
        """The events packed into messages, one partition each: those of one key keep their order."""
        groups: dict[tuple[str, int], list[Event]] = {}
        counts: dict[str, int] = {}
        for event, key in events:
            event_type = str(event.event_type)
            if event_type not in counts:
                counts[event_type] = await self._publisher.partitions(topic_of(event_type))
            # The partition that librdkafka's `consistent` partitioner picks for the key.
            partition = zlib.crc32((key or str(event.event_id)).encode()) % counts[event_type]
            groups.setdefault((event_type, partition), []).append(event)
        headers = outgoing()
        return [
            (OutgoingMessage(topic_of(event_type), partition, None, value, headers, len(members)), members)
            for (event_type, partition), group in groups.items()
            for value, members in _packs(group, self._limits.pack_bytes)
        ]


def _packs(events: Sequence[Event], limit: int) -> Iterable[tuple[bytes, list[Event]]]:
    """Events as message values of at most `limit` bytes; an event alone is an object, several an array."""
    texts: list[bytes] = []
    members: list[Event] = []
    size = 0
    for event in events:
        text = encode(event)
        if members and size + len(text) > limit:
            yield _pack(texts), members
            texts, members, size = [], [], 0
        texts.append(text)
        members.append(event)
        size += len(text) + 1
    yield _pack(texts), members


def _pack(texts: list[bytes]) -> bytes:
    return texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"


def _too_deep(member: msgspec.Raw) -> bool:
    """Whether an event would nest too deep for landing with this as its `data` or `metadata`."""
    return len(member) >= 2 * MAX_DEPTH and exceeds_depth(bytes(member), MAX_DEPTH - 1)


def _with_source(metadata: msgspec.Raw) -> msgspec.Raw:
    """The metadata with the path that the event came by, unless it names a source of its own."""
    text = bytes(metadata)
    if not text or text == b"null":
        return NO_METADATA
    if text[:1] != b"{":
        return msgspec.Raw(encode({"metadata": metadata, "source": "http"}))
    members = msgspec.json.decode(metadata, type=dict[str, msgspec.Raw])
    return metadata if "source" in members else msgspec.Raw(encode({**members, "source": "http"}))


def _submitted(event: tuple[Event, str] | Rejected, lost: dict[int, str]) -> Submitted:
    if isinstance(event, Rejected):
        return Submitted(None, "rejected", event.message)
    error = lost.get(id(event[0]))
    return Submitted(event[0].event_id, "submitted" if error is None else "rejected", error)


def _new_ids(count: int) -> Iterator[str]:
    """`count` ids of 96 random bits, which are asked for once."""
    digits = secrets.token_hex(12 * count)
    return ("evt_" + digits[start : start + 24] for start in range(0, 24 * count, 24))

"""Events over HTTP: what is taken, refused and packed, and how what was taken lands."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import pytest

from shared.ingest.decode_events import EventDecoder
from shared.ingest.models import DeadLetter
from shared.ingest.ports import OutgoingMessage, Position
from shared.ingest.publish import Accepted, EventIntake, PublishLimits, Submitted
from shared.platform.errors import BadRequest, BrokerUnavailable, PayloadTooLarge
from shared.query.event_json import events_json
from shared.streams.events import EVENT_TYPES, EVENTS, topic_of
from tests.fakes import ManualClock, MemoryBroker
from tests.ingest.batches import batch_of
from tests.ingest.test_decode_properties import nested

LIMITS = PublishLimits(event_bytes=256 * 1024, batch_events=10_000, pack_bytes=256 * 1024)


class Intake:
    """An intake over a broker in memory."""

    def __init__(self, limits: PublishLimits = LIMITS) -> None:
        self.broker = MemoryBroker(EVENTS.topics)
        self.service = EventIntake(self.broker, limits, ManualClock())

    def one(self, body: bytes) -> Accepted:
        return asyncio.run(self.service.take_one(body))

    def batch(self, body: bytes) -> list[Submitted]:
        return asyncio.run(self.service.take_batch(body))

    def messages(self) -> list[OutgoingMessage]:
        return [m for partitions in self.broker.messages.values() for log in partitions for m in log]

    def landed(self) -> tuple[list[dict[str, Any]], list[DeadLetter]]:
        """What the decoders make of all that was published."""
        rows: list[dict[str, Any]] = []
        letters: list[DeadLetter] = []
        for topic, partitions in self.broker.messages.items():
            for number, log in enumerate(partitions):
                batch = batch_of([m.value for m in log], topic=topic, partition=number)
                found, lost = EventDecoder(topic).decode(batch)
                rows += [json.loads(bytes(text)) for text in events_json(found)]
                letters += lost
        return rows, letters


def event(**members: Any) -> bytes:
    return json.dumps({"event_type": "transaction", "data": {}, **members}).encode()


def test_an_event_is_completed_and_acknowledged() -> None:
    intake = Intake()
    accepted = intake.one(event(data={"user_id": "u1"}))
    partition = zlib.crc32(b"u1") % 4
    assert accepted.position == Position("events.transaction", partition, 0)
    [row], [] = intake.landed()
    assert row == {
        "event_id": accepted.event_id,
        "event_type": "transaction",
        "timestamp": "2025-09-30T12:00:00Z",
        "data": {"user_id": "u1"},
        "metadata": {"source": "http", "ingestion_time": "2025-09-30T12:00:00Z"},
    }


@pytest.mark.parametrize(
    ("members", "metadata"),
    [
        ({}, {"source": "http"}),
        ({"metadata": None}, {"source": "http"}),
        ({"metadata": {"a": 1}}, {"a": 1, "source": "http"}),
        ({"metadata": {"source": "mine"}}, {"source": "mine"}),
        ({"source": "mine"}, {"source": "mine"}),
        ({"x": [1], "metadata": {"a": 1}}, {"a": 1, "x": [1], "source": "http"}),
        ({"metadata": "text"}, {"metadata": "text", "source": "http"}),
        ({"a": 2, "metadata": {"a": 1}}, {"metadata": {"a": 1}, "a": 2, "source": "http"}),
        ({"ingestion_time": "mine"}, {"source": "http"}),
    ],
)
@pytest.mark.parametrize("way", ["one", "batch"])
def test_metadata_comes_back_with_its_source(members: dict[str, Any], metadata: object, way: str) -> None:
    intake = Intake()
    body = event(**members)
    intake.one(body) if way == "one" else intake.batch(b"[" + body + b"]")
    [row], [] = intake.landed()
    del row["metadata"]["ingestion_time"]
    assert row["metadata"] == metadata


REFUSED = [
    (b"", "Input data was truncated"),
    (b"x", "JSON is malformed: invalid character (byte 0)"),
    (b"\xff", "not UTF-8 at byte 0"),
    (b"[]", "an event is a JSON object"),
    (b'{"data":{}}', "Missing required field: event_type"),
    (event(event_type=None), "Missing required field: event_type"),
    (event(event_type="unheard_of"), f"event_type must be one of {', '.join(EVENT_TYPES)}"),
    (event(event_type=7), "event_type must be a string"),
    (b'{"event_type":"transaction"}', "Missing required field: data"),
    (event(data=None), "Missing required field: data"),
    (event(data=[]), "data must be a JSON object"),
    (event(event_id=""), "event_id must be a string of 1 to 1024 characters"),
    (event(event_id="x" * 1025), "event_id must be a string of 1 to 1024 characters"),
    (event(timestamp="yesterday"), "timestamp is not RFC 3339: 'yesterday'"),
    (event(timestamp=5), "timestamp must be a string in RFC 3339"),
    (event(timestamp="0000-01-01T00:00:00Z"), "timestamp is not RFC 3339: '0000-01-01T00:00:00Z'"),
    (b'{"event_type":"transaction","data":{"a":' + nested(199) + b"}}", "nested deeper than 200 levels"),
    (b'{"event_type":"transaction","data":{},"x":' + nested(199) + b"}", "nested deeper than 200 levels"),
    (
        b'{"event_type":"transaction","data":{},"metadata":' + nested(199) + b"}",
        "nested deeper than 200 levels",
    ),
    (
        b'{"event_type":"transaction","data":{},"metadata":{"a":' + nested(199) + b"}}",
        "nested deeper than 200 levels",
    ),
]


@pytest.mark.parametrize(("body", "error"), REFUSED, ids=lambda x: repr(x)[:50])
def test_refused_events(body: bytes, error: str) -> None:
    intake = Intake()
    with pytest.raises(BadRequest) as refused:
        intake.one(body)
    assert refused.value.message.startswith(error)
    assert intake.messages() == []


@pytest.mark.parametrize(("body", "error"), REFUSED[3:], ids=lambda x: repr(x)[:50])
def test_refused_events_of_a_batch_leave_the_others(body: bytes, error: str) -> None:
    intake = Intake()
    outcomes = intake.batch(b"[" + b",".join([event(event_id="a"), body, event(event_id="b")]) + b"]")
    assert [outcome.event_id for outcome in outcomes] == ["a", None, "b"]
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert str(outcomes[1].error).startswith(error)
    rows, letters = intake.landed()
    assert ({row["event_id"] for row in rows}, letters) == ({"a", "b"}, [])


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (b"", BadRequest, "Input data was truncated"),
        (b"{}", BadRequest, "a batch is a JSON array of events"),
        (b"[]", BadRequest, "the batch holds no events"),
        (b"[1,", BadRequest, "Input data was truncated"),
        (b'[{"data":{"a":' + nested(100_000) + b"}}]", BadRequest, "nested deeper than 200 levels"),
        (b"[" + b",".join([b"1"] * 10_001) + b"]", PayloadTooLarge, "a batch may hold 10000 events"),
        (b"[" + b",".join([event()] * 10_001) + b"]", PayloadTooLarge, "a batch may hold 10000 events"),
    ],
)
def test_refused_batches(body: bytes, error: type[Exception], message: str) -> None:
    intake = Intake()
    with pytest.raises(error, match=message):
        intake.batch(body)
    assert intake.messages() == []


@pytest.mark.parametrize("member", ["data", "metadata", "x"])
def test_an_event_may_have_256_kib(member: str) -> None:
    text = "x" * (LIMITS.event_bytes - len(event(**{member: {"a": ""}})))
    most, more = event(**{member: {"a": text}}), event(**{member: {"a": text + "x"}})
    assert (len(most), len(more)) == (LIMITS.event_bytes, LIMITS.event_bytes + 1)
    intake = Intake()
    intake.one(most)
    with pytest.raises(PayloadTooLarge, match="an event may have 262144 bytes"):
        intake.one(more)
    outcomes = intake.batch(b"[" + most + b"," + more + b"]")
    assert [outcome.error for outcome in outcomes] == [None, "an event may have 262144 bytes"]
    rows, letters = intake.landed()
    assert (len(rows), letters) == (2, [])


def test_batches_are_packed_by_partition_and_stay_in_order() -> None:
    events = [
        {"event_type": kind, "event_id": f"{kind}-{user}-{n}", "data": {"user_id": f"user-{user}", "n": n}}
        for n in range(20)
        for user in range(5)
        for kind in ("transaction", "page_view")
    ]
    intake = Intake(PublishLimits(event_bytes=4096, batch_events=1000, pack_bytes=1024))
    outcomes = intake.batch(json.dumps(events).encode())
    assert outcomes == [Submitted(str(event["event_id"]), "submitted") for event in events]
    found: dict[str, list[int]] = {}
    for message in intake.messages():
        assert len(message.value) <= 1024
        for item in json.loads(message.value):
            user = item["data"]["user_id"]
            assert message.topic == topic_of(item["event_type"])
            assert message.partition == zlib.crc32(user.encode()) % 4
            found.setdefault(item["event_type"] + user, []).append(item["data"]["n"])
    assert list(found.values()) == [list(range(20))] * 10


def test_events_without_a_user_go_by_their_id() -> None:
    intake = Intake()
    intake.batch(b"[" + event(event_id="e1") + b"," + event(event_id="e2", data={"user_id": ""}) + b"]")
    partitions = {json.loads(m.value)["event_id"]: m.partition for m in intake.messages()}
    assert partitions == {name: zlib.crc32(name.encode()) % 4 for name in ("e1", "e2")}


def test_a_broker_that_does_not_answer_takes_nothing() -> None:
    intake = Intake()
    intake.broker.down = True
    with pytest.raises(BrokerUnavailable):
        intake.one(event())
    with pytest.raises(BrokerUnavailable):
        intake.batch(b"[" + event() + b"]")


class HalfBroker(MemoryBroker):
    """Acknowledges nothing of page views."""

    def _append(self, message: OutgoingMessage) -> Position | Exception:
        if message.topic == "events.page_view":
            return BrokerUnavailable("not in time")
        return super()._append(message)


def test_a_batch_half_taken_says_which_half() -> None:
    intake = Intake()
    intake.service = EventIntake(HalfBroker(EVENTS.topics), LIMITS, ManualClock())
    kinds = ["transaction", "page_view", "transaction", "page_view"]
    body = b"[" + b",".join(event(event_type=kind, event_id=f"{n}") for n, kind in enumerate(kinds)) + b"]"
    assert intake.batch(body) == [
        Submitted("0", "submitted"),
        Submitted("1", "rejected", "not in time"),
        Submitted("2", "submitted"),
        Submitted("3", "rejected", "not in time"),
    ]
    with pytest.raises(BrokerUnavailable, match="none of the 1 events"):
        intake.batch(b"[" + event(event_type="page_view") + b"]")

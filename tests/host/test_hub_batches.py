"""The data of Event Hub batches, and what bounds a batch."""

import json

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from devstack.host.bindings import Binding, Function
from devstack.host.hub_batches import PartitionContext, encode_batch
from devstack.host.partition_buffer import MAX_BATCH_BYTES, PartitionBuffer

_FUNCTION = Function(
    "id", "f", Binding("events", "eventHubTrigger", {"dataType": "BINARY", "cardinality": "MANY"}), {}
)
_CONTEXT = PartitionContext("broker", "hub", "$Default", 3)


def message(offset: int, value: bytes | None = b"x", key: bytes | None = None, time: int = 0) -> Message:
    return Message(topic="t", partition=0, offset=offset, key=key, value=value, timestamp=(1, time))


keys = st.none() | st.binary(max_size=4)
times = st.integers(0, 4_102_444_800_000)


@given(st.lists(st.tuples(st.integers(1, 3), keys, times), min_size=1, max_size=20))
def test_the_arrays_say_what_the_messages_say(rows: list[tuple[int, bytes | None, int]]) -> None:
    offset = 0
    messages = []
    for step, key, time in rows:
        offset += step
        messages.append(message(offset, key=key, time=time))
    data, metadata = encode_batch(_FUNCTION, _CONTEXT, messages)
    assert data.collection_bytes.bytes == [b"x"] * len(messages)
    arrays = {name: json.loads(value.json) for name, value in metadata.items()}
    system = arrays["SystemPropertiesArray"]
    assert [one["SequenceNumber"] for one in system] == [one.offset() for one in messages]
    assert [one["OffsetString"] for one in system] == [str(one.offset()) for one in messages]
    assert arrays["SequenceNumberArray"] == [one["Offset"] for one in system]
    texts = [None if key is None else key.decode("utf-8", "replace") for _, key, _ in rows]
    assert [one["PartitionKey"] for one in system] == arrays["PartitionKeyArray"] == texts
    assert [one["EnqueuedTimeUtc"] for one in system] == arrays["EnqueuedTimeUtcArray"]
    assert all(not time.endswith(("Z", "0000")) for time in arrays["EnqueuedTimeUtcArray"])
    assert arrays["PropertiesArray"] == [{}] * len(messages)


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 7))
def test_a_buffer_gives_all_in_order_and_never_too_many(runs: list[int], most: int) -> None:
    buffer = PartitionBuffer(most)
    total = 0
    for run in runs:
        buffer.put([message(total + number) for number in range(run)])
        total += run
    seen: list[int | None] = []
    while batch := buffer.take():
        assert len(batch) == min(most, total - len(seen))
        seen += [one.offset() for one in batch]
    assert seen == list(range(total))
    assert not buffer.full


def test_a_batch_is_bounded_by_bytes_and_holds_one_message_at_least() -> None:
    half = bytes(MAX_BATCH_BYTES // 2)
    buffer = PartitionBuffer(100)
    buffer.put([message(0, half), message(1, half), message(2, b"small")])
    assert buffer.full
    buffer.put([message(3, bytes(MAX_BATCH_BYTES + 1)), message(4, None)])
    taken = []
    while batch := buffer.take():
        taken.append([one.offset() for one in batch])
    assert taken == [[0, 1], [2], [3], [4]]


@pytest.mark.parametrize(("waiting", "enough"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_batch_waits_for_its_smallest_size(waiting: int, enough: bool) -> None:
    buffer = PartitionBuffer(100, 3)
    if waiting:
        buffer.put([message(number) for number in range(waiting)])
    assert buffer.empty is (waiting == 0)
    assert buffer.enough is enough

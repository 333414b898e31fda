"""Event Hub batches: the converter in the SDK's place and the SDK's own give the same messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions import meta
from azure.functions.eventhub import EventHubTriggerConverter

from functions import _eventhub

BODIES = [b"one", b"\xff\x00", b""]
NUMBERS = [7, 8, 2**40]
# .NET leaves trailing zeros out, and the zone.
TIMES = ["2025-09-30T12:00:00", "2025-09-30T12:00:00.5", "2025-09-30T12:00:00.123456"]
MICROSECONDS = [1_759_233_600_000_000, 1_759_233_600_500_000, 1_759_233_600_123_456]

REGISTRY = meta._ConverterMeta._bindings


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    before = REGISTRY.get("eventHubTrigger")
    yield
    REGISTRY["eventHubTrigger"] = before


def sent(bodies: list[bytes] = BODIES, times: list[str] = TIMES) -> tuple[meta.Datum, dict[str, meta.Datum]]:
    """A batch as the worker hands it to a converter."""
    properties = [
        {"SequenceNumber": n, "Offset": n, "OffsetString": f"{n}", "PartitionKey": None, "EnqueuedTimeUtc": t}
        for n, t in zip(NUMBERS, times, strict=True)
    ]
    arrays = {
        "SystemPropertiesArray": properties,
        "SequenceNumberArray": NUMBERS,
        "EnqueuedTimeUtcArray": times,
        "PartitionContext": {"PartitionId": "3"},
    }
    metadata = {name: meta.Datum(json.dumps(value), "json") for name, value in arrays.items()}
    return meta.Datum(SimpleNamespace(bytes=bodies), "collection_bytes"), metadata


@pytest.mark.parametrize("converter", [_eventhub.RawBatchConverter, EventHubTriggerConverter])
def test_both_converters_give_the_same_batch(converter: Any) -> None:
    data, metadata = sent()
    batch = _eventhub.message_batch("events.error", converter.decode(data, trigger_metadata=metadata))
    assert (batch.topic, batch.partition) == ("events.error", 3)
    assert list(batch.bodies) == BODIES
    assert list(batch.sequence_numbers) == NUMBERS
    assert list(batch.enqueued) == MICROSECONDS


def test_ours_hands_a_batch_over_undecoded() -> None:
    data, metadata = sent()
    raw = _eventhub.RawBatchConverter.decode(data, trigger_metadata=metadata)
    assert isinstance(raw, _eventhub.RawBatch)
    assert raw.bodies is data.value.bytes


@pytest.mark.parametrize("missing", ["SequenceNumberArray", "EnqueuedTimeUtcArray", "PartitionContext"])
def test_metadata_of_another_shape_goes_the_sdks_way(missing: str) -> None:
    data, metadata = sent()
    del metadata[missing]
    decoded = _eventhub.RawBatchConverter.decode(data, trigger_metadata=metadata)
    assert [type(event) for event in decoded] == [func.EventHubEvent] * 3


def test_a_single_event_goes_the_sdks_way() -> None:
    metadata = {"SystemProperties": meta.Datum('{"SequenceNumber":7}', "json")}
    event = _eventhub.RawBatchConverter.decode(meta.Datum(b"one", "bytes"), trigger_metadata=metadata)
    assert event.get_body() == b"one"


def test_lengths_that_do_not_fit_are_refused() -> None:
    """Better the batch comes again than that a message gets another's number."""
    data, metadata = sent(bodies=BODIES[:2])
    raw = _eventhub.RawBatchConverter.decode(data, trigger_metadata=metadata)
    with pytest.raises(ValueError, match="2 bodies came with 3 times"):
        _eventhub.message_batch("events.error", raw)


def test_it_is_installed_once_and_again() -> None:
    REGISTRY["eventHubTrigger"] = EventHubTriggerConverter
    assert _eventhub.install()
    assert _eventhub.install()
    assert REGISTRY["eventHubTrigger"] is _eventhub.RawBatchConverter


def test_another_shape_of_the_registry_leaves_the_sdks_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Another:
        pass

    for change in (
        lambda: REGISTRY.__setitem__("eventHubTrigger", Another),
        lambda: monkeypatch.setattr(meta, "_ConverterMeta", Another),
        lambda: monkeypatch.delattr(meta, "_ConverterMeta"),
    ):
        change()
        assert not _eventhub.install()
    assert caplog.text.count("converters changed") == 3
    assert REGISTRY["eventHubTrigger"] is Another

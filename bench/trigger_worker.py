"""Invokes a stream's trigger through Microsoft's worker library with storage taken away; prints JSON.

One worker library runs in a process, so this is one: `python -m bench.trigger_worker EVENTS`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import uvloop
from azure.functions import meta
from azure.functions.eventhub import EventHubTriggerConverter
from confluent_kafka import Message

from bench.events import event_texts, packed
from devstack.host.bindings import Function
from devstack.host.hub_batches import Batch, PartitionContext, encode_batch
from devstack.host.worker import Worker
from devstack.tools import PROJECT
from functions import _eventhub
from shared import runtime
from shared.ingest.decode_events import EventDecoder
from shared.ingest.models import MessageBatch

PACK = 100
_TYPE = "user_action"
_TOPIC = f"events.{_TYPE}"
_TIME = 1_760_000_000_000  # milliseconds since 1970


class _Nothing:
    """Blobs that are not kept, a hub that never changes, a board that nobody reads."""

    async def put(self, container: str, name: str, data: bytes) -> None:
        """Forgets it."""

    def identity(self, topic: str) -> str:
        """Always the same."""
        return topic

    def seen(self, topic: str, generation: str) -> str | None:
        """Nothing new."""
        return None

    def post(self, kind: str, subject: str, message: str) -> None:
        """Says nothing."""


def main() -> None:
    """Prints CPU µs an event by what was done."""
    nothing = cast(Any, _Nothing())
    for module, name in (
        (runtime.storage, "blobs"),
        (runtime.storage, "board"),
        (runtime.brokers, "hubs"),
    ):
        setattr(module, name, lambda: nothing)
    print(json.dumps(uvloop.run(_measure(int(sys.argv[1])))))


async def _measure(events: int) -> dict[str, float]:
    worker = Worker({}, None)
    functions = {function.name: function for function in await worker.load(PROJECT, os.environ)}
    logging.disable(logging.CRITICAL)
    function = functions[f"land_events_{_TYPE}"]
    decode = EventDecoder(_TOPIC).decode
    found = {}
    for size in (1000, 5000) if events >= 5000 else (1000,):
        for kind, pack in (("plain", 1), ("packed", PACK)):
            messages, rows = _messages(size, pack), size * pack
            rounds = max(min(3, events // 1000), events // rows)
            seconds = await _cpu(partial(_invoke, worker, function, _batch(function, messages)), rounds)
            found[f"{kind}, {size:,} messages: invocation"] = 1e6 * seconds / rows
            seconds = await _cpu(partial(_decode, decode, _columns(messages)), rounds)
            found[f"{kind}, {size:,} messages: decode alone"] = 1e6 * seconds / rows
    sdk = await _sdk_cost(worker, function)
    return {**found, "plain, 1,000 messages: with the SDK's own conversion": sdk}


async def _sdk_cost(worker: Worker, function: Function) -> float:
    registry = meta._ConverterMeta._bindings
    ours = registry[_eventhub._BINDING]
    registry[_eventhub._BINDING] = EventHubTriggerConverter
    try:
        batch = _batch(function, _messages(1000, 1))
        return 1e6 * await _cpu(partial(_invoke, worker, function, batch), 3) / 1000
    finally:
        registry[_eventhub._BINDING] = ours


async def _cpu(work: Callable[[], Awaitable[object]], rounds: int) -> float:
    """CPU seconds of one round, all threads together, after one to warm up."""
    await work()
    began = time.process_time()
    for _ in range(rounds):
        await work()
    return (time.process_time() - began) / rounds


async def _invoke(worker: Worker, function: Function, batch: Batch) -> None:
    response = await worker.invoke(function, *batch)
    if not response.succeeded:
        raise RuntimeError(response.error.stack_trace or response.error.message)


async def _decode(decode: Callable[[MessageBatch], Any], columns: MessageBatch) -> None:
    rows, letters = decode(columns)
    if letters or rows.num_rows < len(columns):
        raise RuntimeError(f"{len(letters)} dead letters, {rows.num_rows} rows")


def _batch(function: Function, messages: list[Message]) -> Batch:
    return encode_batch(function, PartitionContext("local", _TOPIC, "$Default", 0), messages)


def _messages(count: int, pack: int) -> list[Message]:
    texts = event_texts(_TYPE, "trigger", count * pack)
    values = texts if pack == 1 else packed(texts, pack)
    return [
        Message(
            topic=_TOPIC,
            partition=0,
            offset=offset,
            key=None,
            value=value,
            timestamp=(2, _TIME),
            headers=None,
        )
        for offset, value in enumerate(values)
    ]


def _columns(messages: list[Message]) -> MessageBatch:
    bodies = [message.value() or b"" for message in messages]
    count = len(messages)
    return MessageBatch(_TOPIC, 0, bodies, range(count), [1000 * _TIME] * count)


if __name__ == "__main__":
    main()

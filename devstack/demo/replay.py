"""Sends a run to Kafka, as any client would."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from typing import Any

from confluent_kafka import Producer

from devstack.demo.plan import TOPIC, Plan
from devstack.demo.tally import Tally

_FLUSH_SECONDS = 30.0


class Replay:
    """Sends the events of `plan` in order, `rate` a second (0: as fast as they go)."""

    def __init__(self, bootstrap: str, plan: Plan, tally: Tally, rate: float) -> None:
        self._plan = plan
        self._tally = tally
        self._rate = rate
        self._refusals: dict[str, int] = {}
        # Of each partition the offsets of the acknowledged messages; they ascend.
        self._offsets: dict[int, list[int]] = {}
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, "log_level": 0}
        )

    def run(self, stop: threading.Event) -> None:
        """Sends all and waits for the broker; ends early when `stop` is set. Blocks."""
        began = time.monotonic()
        for number, event in enumerate(self._plan.events):
            if self._rate and (ahead := number / self._rate - (time.monotonic() - began)) > 0.01:
                self._producer.poll(0)
                stop.wait(ahead)
            if stop.is_set():
                return
            self._send(event.key, event.message())
        silent = self._producer.flush(_FLUSH_SECONDS)
        if silent:
            self._tally.faults.append(f"the broker did not answer for {silent:,} messages")
        self._tally.faults += [f"the broker refused {n:,}: {why}" for why, n in self._refusals.items()]

    def below(self, partition: int, offset: int) -> int:
        """How many acknowledged messages of `partition` lie at or below `offset`."""
        return bisect_right(self._offsets.get(partition, ()), offset)

    def _send(self, key: str, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(TOPIC, value, key=key, on_delivery=self._delivered)
            except BufferError:  # the client's own queue is full: let the broker catch up
                self._producer.poll(0.1)
            else:
                break
        self._tally.sent += 1
        self._producer.poll(0)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._refusals[str(error)] = self._refusals.get(str(error), 0) + 1
            return
        self._offsets.setdefault(message.partition(), []).append(message.offset())
        self._tally.acknowledged += 1

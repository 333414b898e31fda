"""A volatile broker for machines without Java: librdkafka's own mock, in a process of its own.

`python -m devstack.mock_broker` prints `mock broker HOST:PORT` and serves until it is ended. It makes any
topic that is asked for, with 4 partitions, keeps messages in memory only, and drops all but the last 5 MB of
each partition.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence

from devstack.provision import broker_answers, touch_topics

NOTE = (
    "The broker is librdkafka's mock: volatile. It forgets everything when the stack stops and keeps "
    "only the last 5 MB of each of its 4 partitions a topic."
)
_ANNOUNCED = re.compile(r"^mock broker (\S+)$", re.MULTILINE)


class MockBroker:
    """The mock as a child; its address is known once it answers, and is another one after each start."""

    name = "kafka"
    orphan_signal = signal.SIGKILL
    kind = "mock"
    volatile = True
    bootstrap = ""

    @property
    def listens_on(self) -> Sequence[int]:
        """Not known before it says so."""
        return ()

    def choose_ports(self) -> bool:
        """Nothing to choose: librdkafka takes a free port."""
        return False

    async def prepare(self) -> None:
        """Nothing to prepare."""

    def command(self) -> Sequence[str]:
        """This module as a program."""
        return [sys.executable, "-m", "devstack.mock_broker"]

    def environment(self) -> dict[str, str]:
        """That of the stack."""
        return dict(os.environ)

    def answers(self, output: str) -> bool:
        """Whether it has said where it is, and answers there."""
        announced = _ANNOUNCED.search(output)
        self.bootstrap = announced[1] if announced else ""
        return bool(announced) and broker_answers(self.bootstrap)

    def make_topics(self, topics: Iterable[str], partitions: int) -> None:
        """Asks about the topics, which makes them, always with 4 partitions. Blocks."""
        touch_topics(self.bootstrap, topics)


def serve() -> None:
    """Runs the mock until a signal ends the process."""
    from confluent_kafka import Producer

    owner = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    (broker,) = owner.list_topics(timeout=5).brokers.values()
    print(f"mock broker {broker.host}:{broker.port}", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve()

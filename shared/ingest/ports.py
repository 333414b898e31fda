"""What ingestion stands on: the broker, the hubs' identities, and a board for notices to the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.telemetry.origins import Headers


@dataclass(frozen=True, slots=True)
class Position:
    """Where the broker put a message."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message for one partition; `key` may be None. `headers` tell which request sent it, `events` how many
    events it holds."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers = ()
    events: int = 1


class Publisher(Protocol):
    """Sends messages to the broker."""

    async def partitions(self, topic: str) -> int:
        """How many partitions `topic` has; raises BrokerUnavailable."""

    async def publish(self, messages: Sequence[OutgoingMessage]) -> list[Position | Exception]:
        """Sends all and waits for each acknowledgement, in the order of `messages`.

        A message that was not acknowledged in time gives a BrokerUnavailable in its place; the broker may
        have it all the same.
        """


class Hubs(Protocol):
    """Tells hubs (topics) apart from others that had the same name before."""

    def identity(self, topic: str) -> str:
        """A text that changes when the topic is deleted and made anew; raises BrokerUnavailable. Blocks."""


class HubEnds(Protocol):
    """Tells how far hubs (topics) reach."""

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """For each topic and partition the last sequence number that the broker has, -1 where it has none.

        Raises BrokerUnavailable. Blocks.
        """


class Notices(Protocol):
    """Short durable notes to the operator, shown by `/health` of every instance."""

    def post(self, kind: str, subject: str, message: str) -> None:
        """Puts up a notice, or renews the one of the same kind and subject. Blocks."""


class Generations(Protocol):
    """Which generation of a hub was seen last, for telling the operator; correctness does not rest on it."""

    def seen(self, topic: str, generation: str) -> str | None:
        """Notes `generation` as the newest of `topic` and returns the one before, None for the same or the
        first. Blocks."""

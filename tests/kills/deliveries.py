"""What the hub holds in these tests, and what must come of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from shared.ingest.models import MessageBatch

TAKEN = 1_759_233_600_000_000
_HOUR = 3_600_000_000

# A row, wherever it stands: event type, partition, sequence number, place in the message.
type Row = tuple[str, int, int, int]


@dataclass(frozen=True)
class Partition:
    """A partition with `messages` in it."""

    topic: str
    number: int
    messages: int

    @property
    def key(self) -> str:
        """A name for the partition's checkpoint."""
        return f"{self.topic}/{self.number}"

    def batch(self, first: int, count: int) -> MessageBatch:
        """The messages from `first` on, `count` at most."""
        numbers = range(first, min(first + count, self.messages))
        sequence = np.array(numbers, np.int64)
        bodies = [_body(number) for number in numbers]
        return MessageBatch(self.topic, self.number, bodies, sequence, TAKEN + sequence * _HOUR // 5)

    def rows(self) -> set[Row]:
        """The rows that all of it makes."""
        event_type = self.topic.removeprefix("events.")
        return {(event_type, self.number, seq, idx) for seq in range(self.messages) for idx in _rows_in(seq)}

    def dead_letters(self) -> set[Row]:
        """The dead letters that all of it makes."""
        return {
            (self.topic, self.number, seq, idx)
            for seq in range(self.messages)
            for idx in _dead_letters_in(seq)
        }


def _body(seq: int) -> bytes:
    """Plain events, packs of three, and every fifth something is wrong."""
    event = json.dumps({"data": {"user_id": f"u{seq}", "value": seq}}).encode()
    if seq % 5 == 4:
        return b"[" + event + b',"no event",' + event + b"]" if seq % 2 else b"no event"
    return b"[" + b",".join([event] * 3) + b"]" if seq % 3 == 1 else event


def _rows_in(seq: int) -> tuple[int, ...]:
    if seq % 5 == 4:
        return (0, 2) if seq % 2 else ()
    return (0, 1, 2) if seq % 3 == 1 else (0,)


def _dead_letters_in(seq: int) -> tuple[int, ...]:
    if seq % 5 == 4:
        return (1,) if seq % 2 else (0,)
    return ()


PARTITIONS = (
    Partition("events.transaction", 0, 10),
    Partition("events.transaction", 1, 2),
    Partition("events.page_view", 0, 5),
)
ROWS = {row for partition in PARTITIONS for row in partition.rows()}
DEAD_LETTERS = {row for partition in PARTITIONS for row in partition.dead_letters()}

"""Batches of messages for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.ingest.models import DeadLetter, MessageBatch

TOPIC = "events.transaction"
# 2025-09-30T12:00:00Z
TAKEN = 1_759_233_600_000_000


def batch_of(
    bodies: Sequence[bytes], *, first: int = 0, topic: str = TOPIC, partition: int = 0
) -> MessageBatch:
    """`bodies` as consecutive messages, one taken every millisecond."""
    sequence = np.arange(first, first + len(bodies))
    return MessageBatch(topic, partition, list(bodies), sequence, TAKEN + sequence * 1000)


def letters_by_place(batch: MessageBatch, letters: Sequence[DeadLetter]) -> list[tuple[object, ...]]:
    """Dead letters by where they stand in the stream, whatever batch they came in."""
    ordered = sorted(letters, key=lambda letter: (letter.message, letter.idx))
    return [
        (int(batch.sequence_numbers[x.message]), x.idx, x.items, x.reason, x.detail, x.body) for x in ordered
    ]

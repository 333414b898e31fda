"""The dead letters of all streams: what could not become a row, byte for byte, as a stream of its own.

They take the same way as rows do (segment, flush, Delta commit under a `txn`), so they are kept exactly once
too.
"""

from __future__ import annotations

from shared.streams.models import PROVENANCE, Column, StreamDefinition

DEAD_LETTERS = StreamDefinition(
    name="dead-letters",
    topics=(),  # fed by the rejected messages of every other stream
    container="dead-letters",
    columns=(
        Column("topic", "string", nullable=False, repetitive=True),
        Column("reason", "string", nullable=False, repetitive=True),
        Column("detail", "string"),
        Column("body", "binary", nullable=False),
        Column("items", "int", nullable=False),
        *PROVENANCE,
    ),
    time_column="ingestion_time",
    key_column="topic",
)

"""Roll-ups of the events: a row for each minute, type and region of each commit that had any."""

from __future__ import annotations

from shared.streams.models import Column, StreamDefinition

# What further regions of a type count as once there are as many as may keep their names.
OTHER = "other"

ROLLUPS = StreamDefinition(
    name="rollups",
    topics=(),  # fed by whatever commits rows to the table of the events
    container="events-rollups",
    columns=(
        Column("minute", "timestamp", nullable=False),
        Column("event_type", "string", nullable=False, repetitive=True),
        Column("region", "string", repetitive=True),
        Column("count", "long", nullable=False),
        Column("values", "long", nullable=False),
        Column("sum", "double"),
        Column("min", "double"),
        Column("max", "double"),
        Column("sum_squares", "double"),
    ),
    time_column="minute",
    key_column="date",
    derived=True,
)

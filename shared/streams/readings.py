"""The sensor readings of spec 000: one topic, one file for each sensor and hour."""

from __future__ import annotations

from shared.streams.models import PROVENANCE, Column, StreamDefinition

READINGS = StreamDefinition(
    name="readings",
    topics=("sensor-data",),
    container="sensor-data-cold-storage",
    columns=(
        Column("asset_id", "string", nullable=False, repetitive=True),
        Column("sensor_id", "string", nullable=False, repetitive=True),
        Column("timestamp", "timestamp", nullable=False),
        Column("value", "double"),
        Column("value_text", "string"),
        Column("unit", "string", repetitive=True),
        Column("quality", "string", repetitive=True),
        Column("attributes", "string"),
        *PROVENANCE,
    ),
    time_column="timestamp",
    key_column="asset_id",
    file_column="sensor_id",
)

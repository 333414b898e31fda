"""The events of spec 002: five types, a topic each."""

from __future__ import annotations

from shared.streams.models import PROVENANCE, Column, StreamDefinition

EVENT_TYPES = ("user_action", "transaction", "page_view", "error", "system_metric")
TOPIC_PREFIX = "events."

EVENTS = StreamDefinition(
    name="events",
    topics=tuple(TOPIC_PREFIX + event_type for event_type in EVENT_TYPES),
    container="events-cold-storage",
    columns=(
        Column("event_id", "string", nullable=False),
        Column("event_type", "string", nullable=False, repetitive=True),
        Column("timestamp", "timestamp", nullable=False),
        Column("user_id", "string"),
        Column("region", "string", repetitive=True),
        Column("value", "double"),
        Column("data", "string", nullable=False),
        Column("metadata", "string"),
        *PROVENANCE,
    ),
    time_column="timestamp",
    key_column="event_type",
)


def topic_of(event_type: str) -> str:
    """The topic that events of `event_type` are published to."""
    return TOPIC_PREFIX + event_type


def event_type_of(topic: str) -> str:
    """The event type whose topic `topic` is."""
    return topic.removeprefix(TOPIC_PREFIX)

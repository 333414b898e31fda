"""The streams that exist. A new stream is a new line here."""

from __future__ import annotations

from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER, SYSTEM_CONTAINER, StreamDefinition
from shared.streams.readings import READINGS
from shared.streams.rollups import ROLLUPS

STREAMS: tuple[StreamDefinition, ...] = (EVENTS, READINGS, DEAD_LETTERS)
# Every Delta table: those of the streams, and what is derived from them.
TABLES: tuple[StreamDefinition, ...] = (*STREAMS, ROLLUPS)


def all_topics() -> list[str]:
    """Every topic that Floe reads."""
    return [topic for stream in STREAMS for topic in stream.topics]


def all_containers() -> list[str]:
    """Every blob container that Floe writes, landing and its own bookkeeping included."""
    return [LANDING_CONTAINER, SYSTEM_CONTAINER, *(table.container for table in TABLES)]


def stream_of_topic(topic: str) -> StreamDefinition:
    """The stream that reads `topic`; raises KeyError when none does."""
    for stream in STREAMS:
        if topic in stream.topics:
            return stream
    raise KeyError(topic)

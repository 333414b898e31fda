"""Streams as data: what flows through Floe, defined in one place."""

from shared.streams.models import StreamDefinition
from shared.streams.registry import STREAMS, TABLES, all_containers, all_topics, stream_of_topic

__all__ = ["STREAMS", "TABLES", "StreamDefinition", "all_containers", "all_topics", "stream_of_topic"]

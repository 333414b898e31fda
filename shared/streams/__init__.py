"""Streams as data: what flows through Floe, defined in one place."""

from shared.streams.models import StreamDefinition
from shared.streams.registry import STREAMS, all_containers, all_topics, stream_of_topic

__all__ = ["STREAMS", "StreamDefinition", "all_containers", "all_topics", "stream_of_topic"]

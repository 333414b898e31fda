"""Which decoder reads a topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.ingest.decode_events import EventDecoder
from shared.ingest.decode_readings import ReadingDecoder
from shared.streams.readings import READINGS

if TYPE_CHECKING:
    from shared.ingest.land import Decoder


def decoder_of(topic: str) -> Decoder:
    """The decoder of a stream's topic."""
    return ReadingDecoder() if topic in READINGS.topics else EventDecoder(topic)

"""Waiting until what the broker has is landed, so that a flush by hand takes all that was sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from shared.ingest.land import Landing, generation_of
from shared.ingest.ports import HubEnds, Hubs
from shared.lake.ports import Lake
from shared.lake.segments import SegmentStore, Source
from shared.platform.errors import Unavailable
from shared.platform.logs import get_log
from shared.streams import StreamDefinition, stream_of_topic
from shared.streams.dead_letters import DEAD_LETTERS

_log = get_log("catch_up")
_POLL_SECONDS = 0.05


class CatchUp:
    """Knows how far landing is behind the hubs.

    What this process landed it remembers; of partitions that others land, segments and tables tell.
    """

    def __init__(
        self, hubs: Hubs, ends: HubEnds, landing: Landing, segments: SegmentStore, lake: Lake
    ) -> None:
        self._hubs = hubs
        self._ends = ends
        self._landing = landing
        self._segments = segments
        self._lake = lake

    async def wait(self, streams: Sequence[StreamDefinition], seconds: float) -> bool:
        """Waits until everything is landed that the broker has now, and says whether it is.

        Gives up after `seconds`, and at once when broker or storage do not answer: what is landed can be
        flushed all the same.
        """
        deadline = time.monotonic() + seconds
        try:
            topics = [topic for stream in streams for topic in stream.topics]
            ends = await asyncio.to_thread(self._ends.ends, topics)
            while behind := await self._behind(streams, ends):
                if time.monotonic() > deadline:
                    _log.warning("landing is behind", partitions=len(behind))
                    return False
                await asyncio.sleep(_POLL_SECONDS)
        except Unavailable as error:
            _log.warning("landing could not be compared with the hubs", reason=error.message)
            return False
        return True

    def lag(self, streams: Sequence[StreamDefinition]) -> dict[str, int]:
        """How many messages of each stream, by its name, the broker has and landing has not come to; at most,
        for of partitions where nothing was landed yet old messages may be gone.

        Streams without topics are left out. Blocks; raises Unavailable.
        """
        streams = [stream for stream in streams if stream.topics]
        ends = self._ends.ends([topic for stream in streams for topic in stream.topics])
        reached = {at: self._landing.landed(*at) for at in ends}
        elsewhere = [at for at, end in ends.items() if reached[at] < end]
        if elsewhere:
            in_storage = self._reached_in_storage(streams, elsewhere)
            reached |= {at: max(reached[at], in_storage[at]) for at in elsewhere}
        lags = dict.fromkeys((stream.name for stream in streams), 0)
        for (topic, partition), end in ends.items():
            lags[stream_of_topic(topic).name] += max(0, end - reached[topic, partition])
        return lags

    async def _behind(
        self, streams: Sequence[StreamDefinition], ends: dict[tuple[str, int], int]
    ) -> dict[tuple[str, int], int]:
        here = {at: end for at, end in ends.items() if self._landing.landed(*at) < end}
        if not here:
            return {}
        reached = await asyncio.to_thread(self._reached_in_storage, streams, here)
        return {at: end for at, end in here.items() if reached[at] < end}

    def _reached_in_storage(
        self, streams: Sequence[StreamDefinition], places: Iterable[tuple[str, int]]
    ) -> dict[tuple[str, int], int]:
        """The last sequence number that segments or tables have of each of `places`; -1 without any."""
        places = list(places)
        generations = {topic: generation_of(self._hubs.identity(topic)) for topic in {at[0] for at in places}}
        sources = {at: Source(*at, generations[at[0]]) for at in places}
        reached = dict.fromkeys(sources.values(), -1)
        for stream in (*streams, DEAD_LETTERS):
            for segment in self._segments.list(stream):
                if segment.source in reached:
                    reached[segment.source] = max(reached[segment.source], segment.last)
            committed = self._lake.table(stream).summary([source.app_id for source in reached]).progress
            for source in reached:
                reached[source] = max(reached[source], committed.get(source.app_id, -1))
        return {at: reached[source] for at, source in sources.items()}

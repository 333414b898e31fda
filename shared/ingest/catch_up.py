"""Waiting until what the broker has is landed, so that a flush by hand takes all that was sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from shared.ingest.land import Landing, generation_of
from shared.ingest.ports import HubEnds, Hubs
from shared.lake.ports import Lake
from shared.lake.segments import SegmentStore, Source
from shared.platform.errors import Unavailable
from shared.platform.logs import get_log
from shared.streams import StreamDefinition
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

    async def _behind(
        self, streams: Sequence[StreamDefinition], ends: dict[tuple[str, int], int]
    ) -> dict[tuple[str, int], int]:
        here = {at: end for at, end in ends.items() if self._landing.landed(*at) < end}
        return await asyncio.to_thread(self._behind_in_storage, streams, here) if here else {}

    def _behind_in_storage(
        self, streams: Sequence[StreamDefinition], ends: dict[tuple[str, int], int]
    ) -> dict[tuple[str, int], int]:
        """Those of `ends` that neither segments nor tables reach."""
        generations = {topic: generation_of(self._hubs.identity(topic)) for topic, _ in ends}
        sources = {at: Source(*at, generations[at[0]]) for at in ends}
        reached = dict.fromkeys(sources.values(), -1)
        for stream in (*streams, DEAD_LETTERS):
            for segment in self._segments.list(stream):
                if segment.source in reached:
                    reached[segment.source] = max(reached[segment.source], segment.last)
            committed = self._lake.table(stream).summary([source.app_id for source in reached]).progress
            for source in reached:
                reached[source] = max(reached[source], committed.get(source.app_id, -1))
        return {at: end for at, end in ends.items() if reached[sources[at]] < end}

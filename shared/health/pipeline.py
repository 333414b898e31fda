"""The pipeline's own figures for `/health`, read from the tables and the notice board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from shared.health.board import NoticeBoard
from shared.health.models import Notice
from shared.health.ports import CleanupFacts, Facts
from shared.jobs.kinds import CLEANUP
from shared.jobs.models import Status
from shared.jobs.service import Jobs
from shared.lake.ports import Lake
from shared.lake.segments import SegmentStore
from shared.lake.totals import totals_of
from shared.platform.clock import Clock
from shared.platform.errors import StorageUnavailable
from shared.streams import STREAMS
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.readings import READINGS

# A clean-up is due once a day at least where there is a table, and the timer runs every hour.
_CLEANUP_EVERY = timedelta(hours=26)


class LakeFacts:
    """Implements PipelineFacts over the logs of all tables and the listing of the buffer."""

    def __init__(
        self,
        segments: Callable[[], SegmentStore],
        lake: Callable[[], Lake],
        board: Callable[[], NoticeBoard],
        cleanup: Callable[[], CleanupFacts],
    ) -> None:
        """All are asked for when first needed, for building them imports much."""
        self._segments = segments
        self._lake = lake
        self._board = board
        self._cleanup = cleanup

    def read(self) -> Facts:
        """See the port; blocks."""
        totals = {stream.name: totals_of(stream, self._segments(), self._lake()) for stream in STREAMS}
        messages: Counter[str] = Counter()
        for stream in STREAMS:
            messages.update({topic: totals[stream.name].messages.get(topic, 0) for topic in stream.topics})
        messages.update(totals[DEAD_LETTERS.name].alone)
        return Facts(
            messages_consumed=sum(messages[topic] for topic in READINGS.topics),
            messages_by_topic=dict(messages),
            last_message_time=totals[READINGS.name].last_message,
            total_files=sum(total.table.files for total in totals.values()),
            total_size_bytes=sum(total.table.bytes for total in totals.values()),
            cleanup=self._cleanup(),
            notices=tuple(self._board().standing()),
        )


def cleanup_facts(jobs: Jobs, clock: Clock) -> CleanupFacts:
    """What the clean-up's jobs tell; nothing where they cannot be read. Blocks."""
    try:
        newest, totals = jobs.latest(CLEANUP), jobs.totals(CLEANUP)
    except StorageUnavailable:
        return CleanupFacts()
    # Without a job there was never anything to do.
    running = newest is None or newest.status.active or clock() - newest.touched_at < _CLEANUP_EVERY
    return CleanupFacts(
        healthy=running and (newest is None or newest.status is not Status.FAILED),
        running=running,
        files_deleted=totals.get("files_deleted", 0),
    )


def volatile_broker() -> Notice:
    """What is said while the broker keeps messages in memory only."""
    return Notice(
        kind="volatile_broker",
        subject="event_hub",
        message="The local broker is librdkafka's mock: it forgets everything when it stops, and keeps only "
        "the last 5 MB of a partition. Install Java 17 and Maven for a durable one.",
    )

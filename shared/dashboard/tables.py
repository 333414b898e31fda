"""What is landed and what was committed last, of each table: by names and logs, without a row being read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.lake.ports import Lake
from shared.lake.segments import SegmentStore
from shared.lake.summary import LastCommit
from shared.lake.totals import fresh
from shared.platform.clock import Clock
from shared.streams import StreamDefinition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table as of one moment; `buffered_since` is when the broker took what waits longest in the buffer,
    None where nothing waits or names do not tell."""

    buffered_rows: int
    buffered_since: datetime | None
    version: int
    last_commit: LastCommit | None


def table_facts(stream: StreamDefinition, segments: SegmentStore, lake: Lake) -> TableFacts:
    """The facts of now: one listing and the newest entries of the log. Blocks; raises StorageUnavailable.

    A redelivered segment that overlaps the ones before it counts with all its rows.
    """
    landed = segments.list(stream)
    table = lake.table(stream).summary({segment.source.app_id for segment in landed})
    waiting = [segment for segment, _ in fresh(landed, table.progress)]
    arrived = [segment.arrived for segment in waiting if segment.arrived is not None]
    return TableFacts(
        sum(segment.rows for segment in waiting),
        _EPOCH + timedelta(microseconds=min(arrived)) if arrived else None,
        table.version,
        table.last_commit,
    )


def made_at(commit: LastCommit) -> datetime | None:
    """When a commit was made, as far as it says so."""
    return None if commit.at is None else _EPOCH + timedelta(milliseconds=commit.at)


def age_in_seconds(since: datetime | None, clock: Clock) -> float | None:
    """How long ago `since` was; the broker's clock may be ahead of ours."""
    return None if since is None else round(max(0.0, (clock() - since).total_seconds()), 1)

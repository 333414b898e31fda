"""What `GET /api/dashboard/pipeline` tells; what is not known is null, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from shared.platform.times import UtcTime


class Commit(BaseModel):
    """The newest commit that says what it was for."""

    version: int = Field(description="The Delta table's version that it made.")
    time: UtcTime | None
    kind: str = Field(description="What it was for: `flush`, `upload`, `retention`, `replay`, …")
    rows: int | None = Field(description="Rows that it wrote; null where it wrote none.")


class DeadLetterCounts(BaseModel):
    """Dead letters that are kept, so neither replayed nor past their retention."""

    last_24h: int
    total: int


class TableState(BaseModel):
    """One table and what is on its way there."""

    name: str
    lag_messages: int | None = Field(
        description="Messages that the broker has and that are not landed; at most, for a partition may have "
        "lost old ones. Null where the broker does not answer, and of tables without topics."
    )
    buffered_rows: int | None = Field(
        default=None, description="Rows landed and not committed; null of tables that nothing lands for."
    )
    buffer_age_seconds: float | None = Field(
        default=None,
        description="Since the broker took the messages that wait longest there; null where none waits.",
    )
    version: int | None = Field(
        default=None, description="The Delta table's newest version; -1 where there is none yet."
    )
    last_commit: Commit | None = None
    dead_letters: DeadLetterCounts | None = Field(
        description="Of the stream's topics; null where storage is silent, and of tables without topics."
    )


class RunningJob(BaseModel):
    """A job that is queued or at work; see `GET /storage/jobs/{id}`."""

    id: str
    kind: str
    status: str
    done: int | None
    total: int | None
    unit: str | None
    started_at: UtcTime | None


class SlowOperation(BaseModel):
    """How long requests took from their arrival to their answer, in ms: the median, and 99 of 100.

    Interpolated within the bounds of a histogram, so good to about half a bound; 30,000 stands for more.
    """

    operation: str
    method: str
    endpoint: str
    count: int
    p50_ms: float
    p99_ms: float


class SlowestOperations(BaseModel):
    """The operations with the highest p99 first, of all instances together."""

    since: UtcTime | None = Field(description="From when they are counted; null: since Floe first ran.")
    until: UtcTime
    operations: list[SlowOperation]


class PipelineState(BaseModel):
    """The pipeline as it was within the last seconds."""

    tables: list[TableState]
    jobs: list[RunningJob] | None
    slowest: SlowestOperations | None
    timestamp: UtcTime


def example() -> Mapping[str, Any]:
    """One for the documentation."""
    commit = {"version": 41, "time": "2025-09-30T11:59:58Z", "kind": "flush", "rows": 1250}
    table = {
        "name": "events",
        "lag_messages": 0,
        "buffered_rows": 320,
        "buffer_age_seconds": 4.2,
        "version": 41,
        "last_commit": commit,
        "dead_letters": {"last_24h": 2, "total": 17},
    }
    operation = {
        "operation": "query_events",
        "method": "GET",
        "endpoint": "/api/events",
        "count": 1200,
        "p50_ms": 18.2,
        "p99_ms": 96.0,
    }
    slowest = {
        "since": "2025-09-30T11:45:00Z",
        "until": "2025-09-30T12:00:00Z",
        "operations": [operation],
    }
    return {"tables": [table], "jobs": [], "slowest": slowest, "timestamp": "2025-09-30T12:00:00Z"}

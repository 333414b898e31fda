"""Figures at a glance: the last day, the last hour, all there is."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.functions as func
import msgspec
from pydantic import Field

from functions._http import ApiModel, Described, Request, operation
from functions.http.events import EventType
from shared import runtime
from shared.platform.clock import utc_now
from shared.platform.times import UtcTime
from shared.query.events import events_wanted
from shared.rollups.recent import DAY

bp = func.Blueprint()
TAGS = ["Analytics"]
_RECENT_EVENTS = 10


class Summary(ApiModel):
    """Counts by event type, zero included, in whole minutes of event time; landed events are in them."""

    event_counts_24h: dict[str, int] = Field(description="Of the last 24 hours.")
    recent_aggregations_1h: dict[str, int] = Field(
        description="Events in the windows of five minutes that began within the last hour."
    )
    anomalies_24h: int = Field(description="Anomalies detected in the last 24 hours.")
    realtime_counts: dict[str, int] = Field(description="Of the last five minutes.")


class DashboardSummary(ApiModel):
    """The summary, and the moment that it is of."""

    summary: Summary
    timestamp: UtcTime


class RealtimeQuery(ApiModel):
    """Which events."""

    event_type: EventType = "user_action"


class Realtime(ApiModel):
    """The last hour of one event type, by event time in whole minutes; landed events are in it."""

    event_type: str
    total_count: int
    region_distribution: dict[str, str] = Field(
        description="Numbers as text, by region; events without one are in the total only, and those of more "
        "regions than are counted apart are `other`."
    )
    recent_events: list[dict[str, Any]] = Field(description="`data` of the newest ten events, newest first.")
    timestamp: UtcTime


class Stats(ApiModel):
    """Durable totals."""

    total_events: int = Field(description="Events that were landed, ever.")
    total_aggregations: int = Field(
        description="Windows of five minutes, by event type, that have events; see `GET /api/aggregations`."
    )
    total_anomalies: int = Field(description="Anomalies that were detected, ever.")
    database_size_bytes: int = Field(description="Live files of all tables, hot and cold.")


class StatsShown(ApiModel):
    """The totals, and the moment that they are of."""

    stats: Stats
    timestamp: UtcTime


@operation(
    bp,
    "GET",
    "api/dashboard/summary",
    summary="What happened of late",
    tags=TAGS,
    response=Described("Counts by event type", DashboardSummary),
    scope="events:read",
    open_locally=True,
    blocking=True,
)
def get_dashboard_summary(request: Request) -> DashboardSummary:
    """An event counts from the moment that it is landed, within moments of its acknowledgement."""
    counts = runtime.recent().counts()
    return DashboardSummary(
        summary=Summary(
            event_counts_24h=dict(counts.day),
            recent_aggregations_1h=dict(counts.hour_windows),
            anomalies_24h=runtime.anomalies().count_since(counts.now - DAY),
            realtime_counts=dict(counts.five_minutes),
        ),
        timestamp=counts.now,
    )


@operation(
    bp,
    "GET",
    "api/metrics/realtime",
    summary="The last hour of an event type",
    tags=TAGS,
    query=RealtimeQuery,
    response=Described("Counts, regions and the newest events", Realtime),
    scope="events:read",
    open_locally=True,
)
async def get_realtime_metrics(request: Request[RealtimeQuery]) -> dict[str, Any]:
    """The newest events are the newest by event time, of any age."""
    event_type = request.query.event_type
    hour, newest = await asyncio.gather(
        asyncio.to_thread(lambda: runtime.recent().last_hour(event_type)),
        asyncio.to_thread(lambda: _newest(event_type)),
    )
    return {
        "event_type": event_type,
        "total_count": hour.count,
        "region_distribution": {region: str(count) for region, count in hour.regions.items()},
        "recent_events": newest,
        "timestamp": hour.now,
    }


@operation(
    bp,
    "GET",
    "api/stats",
    summary="What there is in all",
    tags=TAGS,
    response=Described("Totals", StatsShown),
    scope="events:read",
    open_locally=True,
)
async def get_stats(request: Request) -> StatsShown:
    """Across restarts and instances; what it costs does not grow with the events."""
    now = utc_now()
    events, windows, anomalies, size = await asyncio.gather(
        asyncio.to_thread(lambda: runtime.event_totals().events()),
        asyncio.to_thread(lambda: runtime.rollups().count_windows()),
        asyncio.to_thread(lambda: runtime.anomalies().total()),
        asyncio.to_thread(lambda: runtime.event_totals().bytes()),
    )
    return StatsShown(
        stats=Stats(
            total_events=events,
            total_aggregations=windows,
            total_anomalies=anomalies,
            database_size_bytes=size,
        ),
        timestamp=now,
    )


def _newest(event_type: str) -> list[msgspec.Raw]:
    page = runtime.history().page(events_wanted(event_type, limit=_RECENT_EVENTS))
    return [msgspec.Raw(data.encode()) for data in page["data"].to_pylist()]

"""Queries over events."""

from __future__ import annotations

from datetime import datetime

from shared.query.wanted import RowsWanted
from shared.streams.events import EVENTS, topic_of


def events_wanted(
    event_type: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 100,
    offset: int = 0,
) -> RowsWanted:
    """The newest events of one type or all, from `start` (inclusive) to `end` (exclusive), both aware."""
    return RowsWanted(
        stream=EVENTS,
        equal={} if event_type is None else {"event_type": event_type},
        topic=None if event_type is None else topic_of(event_type),
        start=start,
        end=end,
        limit=limit,
        offset=offset,
    )

"""What a page depends on: the same as long as the page is, another as soon as a wanted row is landed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.lake.segments import SegmentStore
from shared.query.events import events_wanted
from shared.query.history import History
from shared.query.wanted import RowsWanted
from tests.fakes import MemoryBlobs, MemoryLake
from tests.lake.rows import land
from tests.query.lake import EventLake

NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)
FIRST_MINUTE = events_wanted("transaction", NOON, NOON + timedelta(minutes=1), 1000)
FROM_NOON = events_wanted(start=NOON, limit=1000)


def seen(lake: EventLake, wanted: RowsWanted) -> tuple[tuple[Any, ...], list[Any]]:
    """What the page depends on, and the page."""
    told: list[tuple[Any, ...]] = []
    rows = lake.history.page(wanted, lambda *parts: told.append(parts))
    return told[-1], rows.to_pylist()


def test_a_version_stays_as_long_as_the_page_does(event_lake: EventLake) -> None:
    pages: dict[tuple[tuple[Any, ...], bool], list[Any]] = {}
    steps = [
        lambda: None,
        lambda: event_lake.land(range(5)),
        lambda: event_lake.land(range(5)),  # redelivered
        lambda: event_lake.land(range(3, 8)),  # redelivered with other boundaries
        lambda: event_lake.land(range(4), "events.error"),
        event_lake.flush,
        event_lake.flush,  # with nothing to do
        lambda: event_lake.land(range(8, 10)),
        lambda: event_lake.land(range(100, 130)),  # behind the minute
        event_lake.flush,
    ]
    for step in steps:
        step()
        for wanted in (FIRST_MINUTE, FROM_NOON):
            version, page = seen(event_lake, wanted)
            assert seen(event_lake, wanted) == (version, page)
            assert pages.setdefault((version, wanted is FROM_NOON), page) == page
    assert len({version for version, open_ended in pages if open_ended}) >= 7


def test_rows_outside_the_window_or_of_another_type_change_nothing_until_they_are_committed(
    event_lake: EventLake,
) -> None:
    event_lake.land(range(5))
    before = seen(event_lake, FIRST_MINUTE)
    event_lake.land(range(70, 80), partition=1)
    event_lake.land(range(5), "events.error")
    assert seen(event_lake, FIRST_MINUTE) == before
    event_lake.land(range(5, 6))
    assert seen(event_lake, FIRST_MINUTE)[0] != before[0]


def test_an_event_in_the_future_changes_an_open_ended_window(event_lake: EventLake) -> None:
    before = seen(event_lake, FROM_NOON)[0]
    event_lake.land(range(10**8, 10**8 + 1))
    assert seen(event_lake, FROM_NOON)[0] != before


def test_what_is_raised_there_ends_the_query_before_rows_are_read() -> None:
    read: list[str] = []

    class WatchedBlobs(MemoryBlobs):
        def get(self, container: str, name: str) -> bytes:
            read.append(name)
            return super().get(container, name)

    def known(*parts: object) -> None:
        raise LookupError

    segments = SegmentStore(WatchedBlobs())
    land(segments, range(3))
    history = History(segments, MemoryLake(), MemoryBlobs())
    with pytest.raises(LookupError):
        history.page(FROM_NOON, known)
    assert not read
    assert history.page(FROM_NOON, lambda *parts: None).num_rows == 3
    assert read

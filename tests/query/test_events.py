"""What a query finds: each landed event once, newest first, whoever flushes meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from shared.lake.ports import BlobGone, Snapshot
from shared.lake.segments import SegmentStore
from shared.platform.errors import StorageUnavailable
from shared.query.events import events_wanted
from shared.query.history import History
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from tests.fakes import MemoryBlobs, MemoryLake
from tests.lake.rows import land
from tests.query.lake import EventLake

NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)
ALL = events_wanted(limit=1000)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def transactions(numbers: range) -> list[tuple[str, int, int]]:
    """Newest first."""
    return [("transaction", 0, seq) for seq in reversed(numbers)]


def test_nothing_was_ever_landed(event_lake: EventLake) -> None:
    assert event_lake.find(ALL) == []
    assert event_lake.find(events_wanted("error", at(0), at(1), 5, 5)) == []


def test_landed_and_flushed_rows_together(event_lake: EventLake) -> None:
    event_lake.land(range(5))
    assert event_lake.find(ALL) == transactions(range(5))
    event_lake.flush()
    assert event_lake.find(ALL) == transactions(range(5))
    event_lake.land(range(3, 8))  # overlaps
    event_lake.land(range(6, 10))
    assert event_lake.find(ALL) == transactions(range(10))
    event_lake.flush()
    assert event_lake.find(ALL) == transactions(range(10))


@pytest.mark.parametrize("flushed", [(), ("transaction",), ("transaction", "error")])
def test_order_limits_and_filters(event_lake: EventLake, flushed: tuple[str, ...]) -> None:
    for event_type in ("transaction", "error"):
        event_lake.land(range(10), f"events.{event_type}")
        if event_type in flushed:
            event_lake.flush()
    both = [(kind, 0, seq) for seq in reversed(range(10)) for kind in ("transaction", "error")]
    errors = [place for place in both if place[0] == "error"]
    cases = [
        (ALL, both),
        (events_wanted("error", limit=1000), errors),
        (events_wanted("page_view"), []),
        (events_wanted(limit=3), both[:3]),
        (events_wanted(limit=3, offset=3), both[3:6]),
        (events_wanted(limit=3, offset=19), both[19:]),
        (events_wanted(limit=3, offset=20), []),
        (events_wanted("error", limit=2, offset=1), errors[1:3]),
        (events_wanted(start=at(4)), both[:12]),
        (events_wanted(end=at(4)), both[12:]),
        (events_wanted(start=at(4), end=at(5)), both[10:12]),
        (events_wanted(start=at(4), end=at(4.000001)), both[10:12]),
        (events_wanted(start=at(4.000001), end=at(5)), []),
        (events_wanted(start=at(5), end=at(4)), []),
        (events_wanted("error", at(2), at(8), 2, 2), errors[4:6]),
        (events_wanted(start=at(-(10**6)), end=at(10**9), limit=1000), both),
    ]
    for wanted, found in cases:
        assert event_lake.find(wanted) == found, wanted


@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_flush_during_a_query_hides_and_doubles_nothing(
    event_lake: EventLake, call: int, after: bool
) -> None:
    """A segment that is gone when it is opened sends the query to a newer snapshot."""
    event_lake.land(range(4))
    event_lake.flush()
    event_lake.land(range(4, 8))
    event_lake.land(range(2), partition=1)

    def meanwhile() -> None:
        event_lake.flush()
        event_lake.land(range(8, 10))  # acknowledged after the query began: it may be seen or not

    history = event_lake.history_that(meanwhile, call, after)
    found = event_lake.find(ALL, history)
    assert len(set(found)) == len(found)
    assert set(found) - set(transactions(range(8, 10))) == {
        *transactions(range(8)),
        ("transaction", 1, 0),
        ("transaction", 1, 1),
    }


class BehindLake:
    """A lake that never shows a newer version."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def table(self, stream: StreamDefinition) -> BehindLake:
        return self

    def snapshot(self, app_ids: Iterable[str] = ()) -> Snapshot:
        return self._snapshot


def test_a_query_that_never_catches_up_is_a_503() -> None:
    """Segments are listed, gone when opened, and no newer snapshot has their rows."""

    class VanishingBlobs(MemoryBlobs):
        def get(self, container: str, name: str) -> bytes:
            raise BlobGone(name)

    segments = SegmentStore(VanishingBlobs())
    land(segments, range(3))
    app_ids = {segment.source.app_id for segment in segments.list(EVENTS)}
    history = History(segments, BehindLake(MemoryLake().table(EVENTS).snapshot(app_ids)), MemoryBlobs())
    with pytest.raises(StorageUnavailable, match="kept changing"):
        history.page(ALL)


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_do_not_shift_through_flushes(event_lake: EventLake, limit: int) -> None:
    event_lake.land(range(6))
    event_lake.land(range(6), "events.error")
    event_lake.land(range(6), partition=1)
    whole = event_lake.find(ALL)
    found: list[tuple[str, int, int]] = []
    while page := event_lake.find(events_wanted(limit=limit, offset=len(found))):
        found += page
        event_lake.flush()
    assert found == whole
    assert len(found) == 18

"""Roll-ups of the events, and what is made of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime import storage
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.lake.ports import Follower
    from shared.rollups.reader import Rollups
    from shared.rollups.recent import Recent
    from shared.rollups.regions import RegionStore
    from shared.rollups.table import RollupTable
    from shared.rollups.totals import EventTotals


@cache
def rollups() -> Rollups:
    """Queries over the roll-ups."""
    from shared.rollups.days import CommittedDays
    from shared.rollups.reader import Rollups

    days = CommittedDays(storage.blobs(), settings().rollup_cache_bytes)
    return Rollups(storage.segments(), storage.lake(), days, regions())


@cache
def recent() -> Recent:
    """What happened of late."""
    from shared.rollups.recent import Recent

    return Recent(rollups(), utc_now)


@cache
def event_totals() -> EventTotals:
    """How many events there were in all."""
    from shared.rollups.totals import EventTotals

    return EventTotals(storage.segments(), storage.lake())


@cache
def regions() -> RegionStore:
    """Which regions are counted apart."""
    from shared.rollups.regions import RegionStore

    return RegionStore(storage.blobs(), settings().max_regions)


@cache
def rollup_table() -> RollupTable:
    """The table of the roll-ups, to be written to."""
    from shared.rollups.table import RollupTable

    return RollupTable(storage.blobs(), storage.lake(), storage.leases(), regions(), new_name, utc_now)


@cache
def followers() -> Mapping[str, Follower]:
    """The tables that follow those of streams."""
    from shared.streams.events import EVENTS

    return {EVENTS.name: rollup_table()}


def new_name() -> str:
    """A name that no data file has."""
    return f"{utc_now():%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"

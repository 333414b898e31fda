"""Deletes what has expired: signing keys, token families, revocations, login attempts."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from shared.platform.clock import Clock
from shared.platform.state_tables import EXPIRING_TABLES
from shared.platform.tables import RowChanged, Tables

# Instances' clocks differ; what expired just now may still be looked at.
_MARGIN = timedelta(hours=1)
_AT_ONCE = 1000
_ROUNDS = 100


def sweep(tables: Tables, clock: Clock) -> int:
    """Deletes the expired rows of every table that has such, and returns how many; blocks."""
    return sum(_sweep(tables, table, clock) for table in EXPIRING_TABLES)


def _sweep(tables: Tables, table: str, clock: Clock) -> int:
    deleted = 0
    for _ in range(_ROUNDS):
        rows = tables.expired(table, clock() - _MARGIN, limit=_AT_ONCE)
        for row in rows:
            with suppress(RowChanged):  # it was prolonged
                tables.delete(table, row.partition, row.key, row.etag)
                deleted += 1
        if len(rows) < _AT_ONCE:
            break
    return deleted

"""What all instances together have taken of a client's limit, kept in a table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import RATE_LIMITS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables

_KEY = "window"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """`wanted` requests of the window from `begins` to `ends` (epoch seconds), in which `limit` may pass.

    `known` is the row as the last answer had it, which spares reading it.
    """

    client: str
    begins: int
    ends: int
    limit: int
    wanted: int
    known: Row | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """`given` requests, fewer than wanted only when no more are left; `taken` by all instances with them."""

    given: int
    taken: int
    row: Row | None


class Quotas:
    """One row for each client, written only if it still is the version that was read."""

    def __init__(self, tables: Callable[[], Tables]) -> None:
        self._tables = tables

    def take(self, asked: Asked) -> Granted:
        """Takes what is wanted, or what is left. Blocks; raises StorageUnavailable."""
        held = asked.known
        for _ in range(_TRIES):
            try:
                return self._take(asked, held or self._held(asked.client))
            except (RowExists, RowChanged, RowGone):
                held = None  # another instance took some at the same moment
        raise StorageUnavailable("too many instances at once take of one limit")

    def _take(self, asked: Asked, held: Row | None) -> Granted:
        begun, taken = (0, 0) if held is None else (_whole(held, "begins"), _whole(held, "taken"))
        if begun > asked.begins:
            # By another instance's clock the window is over: nothing is left to count.
            return Granted(asked.wanted, asked.wanted, None)
        if begun < asked.begins:
            taken = 0
        given = max(0, min(asked.wanted, asked.limit - taken))
        if not given:
            return Granted(0, taken, held)
        row = Row(
            partition_of(asked.client),
            _KEY,
            {
                "begins": asked.begins,
                "taken": taken + given,
                "expires_at": datetime.fromtimestamp(asked.ends, UTC),
            },
            "" if held is None else held.etag,
        )
        write = self._tables().insert if held is None else self._tables().replace
        return Granted(given, taken + given, write(RATE_LIMITS, row))

    def _held(self, client: str) -> Row | None:
        try:
            return self._tables().get(RATE_LIMITS, partition_of(client), _KEY)
        except RowGone:
            return None


def partition_of(client: str) -> str:
    """The partition of a client's row: storage learns no addresses."""
    return hashlib.sha256(client.encode("utf-8", "replace")).hexdigest()[:40]


def _whole(row: Row, name: str) -> int:
    value = row.values[name]
    assert isinstance(value, int), name
    return value

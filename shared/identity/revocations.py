"""What was revoked before its time: a short list in storage that every instance keeps a fresh copy of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from shared.platform.clock import Clock
from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import REVOCATIONS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables

# A revocation holds on every instance after this many seconds at the latest.
DELAY_SECONDS = 5.0
# Entries outlive everything that may still be remembered as good: access tokens (an hour) and keys (minutes).
ENTRY_LIFE = timedelta(hours=2)
_PARTITION = "revoked"
_READINGS = 2
_PAGE = 1000

type Offload = Callable[[Callable[[], None]], Awaitable[None]]


class Revocations:
    """The ids that were revoked of late. `ticks` are monotonic seconds.

    `tables` is asked for in a thread when first needed, for making them imports much.
    """

    def __init__(
        self,
        tables: Callable[[], Tables],
        clock: Clock,
        *,
        offload: Offload = asyncio.to_thread,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables = tables
        self._clock = clock
        self._offload = offload
        self._ticks = ticks
        self._listed: frozenset[str] = frozenset()
        self._own: dict[str, datetime] = {}
        self._listed_at = float("-inf")
        self._loading: asyncio.Future[None] | None = None

    def add(self, *ids: str) -> None:
        """Revokes: at once here, within DELAY_SECONDS everywhere. Blocks."""
        until = self._clock() + ENTRY_LIFE
        for one in ids:
            self._write(Row(_PARTITION, one, {"expires_at": until}))
            self._own[one] = until

    @property
    def ageing(self) -> bool:
        """Whether `keep_fresh` is due."""
        return self._ticks() - self._listed_at >= DELAY_SECONDS / 2

    async def keep_fresh(self) -> None:
        """Reads the list anew: in the background at half of the delay; past it, waits until that is done.

        Raises StorageUnavailable when the list is past the delay and cannot be read within it.
        """
        if not self._stale():
            self._start_loading()
            return
        for _ in range(_READINGS):
            await asyncio.shield(self._start_loading())
            if not self._stale():  # what a slow reading brings is as old as its beginning
                return
        raise StorageUnavailable("storage is too slow to tell what was revoked")

    def any_of(self, ids: Iterable[str]) -> bool:
        """Whether one of `ids` is revoked, as far as the list in memory says."""
        return not self._listed.isdisjoint(ids) or not self._own.keys().isdisjoint(ids)

    def _stale(self) -> bool:
        return self._ticks() - self._listed_at >= DELAY_SECONDS

    def _start_loading(self) -> asyncio.Future[None]:
        if self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(self._offload(self._load))
            self._loading.add_done_callback(_retrieve)
        return self._loading

    def _load(self) -> None:
        begun, now = self._ticks(), self._clock()
        rows: list[Row] = []
        while len(rows) % _PAGE == 0:
            page = self._tables().query(
                REVOCATIONS, _PARTITION, after=rows[-1].key if rows else "", limit=_PAGE
            )
            rows += page
            if not page:
                break
        self._listed = frozenset(row.key for row in rows if (row.time("expires_at") or now) > now)
        self._listed_at = begun
        for one in [one for one, until in self._own.copy().items() if until <= now]:
            self._own.pop(one, None)

    def _write(self, row: Row) -> None:
        try:
            self._tables().insert(REVOCATIONS, row)
        except RowExists:
            # Revoked before; it only has to last longer.
            with suppress(RowGone, RowChanged):
                held = self._tables().get(REVOCATIONS, _PARTITION, row.key)
                self._tables().replace(REVOCATIONS, Row(_PARTITION, row.key, row.values, held.etag))


def _retrieve(loading: asyncio.Future[None]) -> None:
    """Takes the error of a load that nobody waited for; whoever needs the list loads again."""
    if not loading.cancelled():
        loading.exception()

"""Backoff for wrong passwords, kept for a name and a client's address together, never for a name alone.

So whoever guesses at somebody's password delays only himself; the user logs in from elsewhere as ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from shared.platform.clock import Clock
from shared.platform.errors import RateLimited
from shared.platform.state_tables import LOGIN_ATTEMPTS
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables

# This many attempts are free; the next waits FIRST_WAIT, each further one twice as long.
FREE_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
# Forgotten this long after the last attempt.
MEMORY = timedelta(days=1)
_KEY = "attempts"
_TRIES = 5


class LoginAttempts:
    """Counts attempts before they are judged, so that many at once are no way around. Every method blocks."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    def begin(self, name: str, address: str) -> None:
        """Counts one attempt; raises RateLimited if it has to wait. Whether `name` exists plays no part."""
        partition = _partition(name, address)
        for _ in range(_TRIES):
            try:
                return self._count(partition)
            except (RowExists, RowChanged, RowGone):
                continue  # another attempt at the same moment
        raise RateLimited("Too many logins at once", retry_after=1)

    def succeed(self, name: str, address: str) -> None:
        """Forgets the attempts: the password was right."""
        self._tables.delete(LOGIN_ATTEMPTS, _partition(name, address), _KEY)

    def _count(self, partition: str) -> None:
        now = self._clock()
        held = self._held(partition)
        made = 0
        if held is not None and (held.time("expires_at") or now) > now:
            until = held.time("blocked_until")
            if until is not None and now < until:
                wait = -((now - until) // timedelta(seconds=1))
                raise RateLimited("Too many failed logins: wait and try again", retry_after=wait)
            made = int(str(held.values["attempts"]))
        row = _row(partition, made + 1, now)
        if held is None:
            self._tables.insert(LOGIN_ATTEMPTS, row)
        else:
            self._tables.replace(LOGIN_ATTEMPTS, replace(row, etag=held.etag))

    def _held(self, partition: str) -> Row | None:
        try:
            return self._tables.get(LOGIN_ATTEMPTS, partition, _KEY)
        except RowGone:
            return None


def wait_after(attempts: int) -> timedelta:
    """How long the next attempt has to wait after this many."""
    if attempts < FREE_ATTEMPTS:
        return timedelta()
    doublings = min(attempts - FREE_ATTEMPTS, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _row(partition: str, attempts: int, now: datetime) -> Row:
    return Row(
        partition,
        _KEY,
        {"attempts": attempts, "blocked_until": now + wait_after(attempts), "expires_at": now + MEMORY},
    )


def _partition(name: str, address: str) -> str:
    return hashlib.sha256(f"{name.strip().lower()}\n{address}".encode("utf-8", "replace")).hexdigest()

"""The keys that sign access tokens: one for each thirty days, in storage, the same on every instance."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.platform.clock import Clock
from shared.platform.logs import get_log
from shared.platform.state_tables import SIGNING_KEYS
from shared.platform.tables import Row, RowExists, RowGone, Tables

PERIOD = timedelta(days=30)
# A key verifies for this long after its period: longer than any token that it signed.
OVERLAP = timedelta(days=1)
# A key that was deleted from the table, in an emergency, is forgotten everywhere after this many seconds.
MEMORY_SECONDS = 300.0
_PARTITION = "ed25519"
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
_log = get_log("identity")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One period's key; `id` is the `kid` of its tokens and starts with the period's number."""

    id: str
    private: Ed25519PrivateKey
    public: Ed25519PublicKey


class SigningKeys:
    """Gives the key to sign with, and those to verify with. Blocks when a key is not in memory yet."""

    def __init__(self, tables: Tables, clock: Clock, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._tables = tables
        self._clock = clock
        self._ticks = ticks
        self._known: dict[int, tuple[float, SigningKey | None]] = {}

    def signing(self) -> SigningKey:
        """The key of the present period, made by whichever instance needs it first."""
        period = self._period()
        return self._remembered(period) or self._make(period)

    def verifying(self, key_id: str) -> SigningKey | None:
        """The key of that id, if it is of this period or the one before; one that is not known is None."""
        number, _, _ = key_id.partition("-")
        if not (number.isascii() and number.isdigit() and len(number) <= 6):
            return None
        now, period = self._clock(), int(number)
        if not _begin(period) <= now + OVERLAP <= _begin(period + 1) + 2 * OVERLAP:
            return None
        key = self._remembered(period)
        return key if key is not None and secrets.compare_digest(key.id, key_id) else None

    def _period(self) -> int:
        return (self._clock() - _BEGINNING) // PERIOD

    def _remembered(self, period: int) -> SigningKey | None:
        read_at, key = self._known.get(period, (float("-inf"), None))
        # That a key is missing is believed for a moment only: another instance may be making it.
        if self._ticks() - read_at >= (MEMORY_SECONDS if key else 1.0):
            return self._read(period)
        return key

    def _read(self, period: int) -> SigningKey | None:
        try:
            key = _key(self._tables.get(SIGNING_KEYS, _PARTITION, _row_key(period)))
        except RowGone:
            key = None
        self._known[period] = (self._ticks(), key)
        return key

    def _make(self, period: int) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        row = Row(
            _PARTITION,
            _row_key(period),
            {
                "key_id": f"{period}-{secrets.token_hex(6)}",
                "private": private.private_bytes_raw(),
                "created_at": self._clock(),
                "expires_at": _begin(period + 1) + OVERLAP,
            },
        )
        try:
            self._tables.insert(SIGNING_KEYS, row)
            _log.info("signing key made", key=row.text("key_id"))
        except RowExists:
            pass  # another instance was quicker
        key = self._read(period)
        assert key is not None
        return key


def _begin(period: int) -> datetime:
    return _BEGINNING + period * PERIOD


def _row_key(period: int) -> str:
    return f"{period:06d}"


def _key(row: Row) -> SigningKey:
    raw = row.values["private"]
    assert isinstance(raw, bytes)
    private = Ed25519PrivateKey.from_private_bytes(raw)
    return SigningKey(row.text("key_id"), private, private.public_key())

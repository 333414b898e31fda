"""A clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Implements shared.platform.clock.Clock."""

    def __init__(self, now: datetime = datetime(2025, 9, 30, 12, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        """Moves on by a timedelta's arguments."""
        self.now += timedelta(**by)

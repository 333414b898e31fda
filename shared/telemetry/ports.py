"""What sends telemetry elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shared.telemetry.instruments import Instrument
from shared.telemetry.tracing import Tracer


@dataclass(frozen=True, slots=True)
class Line:
    """One log line: `text` is its JSON; `when` in nanoseconds since 1970, `level` as in `logging`."""

    when: int
    level: int
    text: str


class Telemetry(Protocol):
    """Sends in the background; nothing here blocks on the network, or raises for it."""

    @property
    def tracer(self) -> Tracer:
        """Makes the spans that are sent."""
        ...

    def send(self, line: Line) -> None:
        """Takes in one log line; in the context of its task, so that it belongs to the current span."""
        ...

    def follow(self, instruments: Callable[[], list[Instrument]]) -> None:
        """Sends what these count, every minute."""
        ...

"""What an anomaly scan asks of a detector; another one can be put in its place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from shared.anomalies.models import Band, Verdict

if TYPE_CHECKING:
    import pyarrow as pa


class Minutes(Protocol):
    """What the events of each minute add up to."""

    def minutes(self, start: datetime, end: datetime, event_types: Sequence[str] | None = None) -> pa.Table:
        """One row for each minute, type and region that has events, landed ones included, sorted by minute:
        `minute` (timestamp in µs, UTC), `event_type`, `region` (null where the event had none), `count`,
        `values` (events with a number; both int64) and `sum` (double; null where no event had one).

        From `start` (inclusive) to `end` (exclusive), both aware and on whole minutes; of these types, or
        all. Blocks; raises StorageUnavailable.
        """


class Detector(Protocol):
    """Watches one series, point by point in the order of time."""

    def judge(self, time: float, value: float) -> Verdict:
        """Judges the point at `time` (seconds since 1970) by what came before it, and then learns it."""

    def band(self, time: float) -> Band | None:
        """Between what values a point at `time` would be none to speak of; None during the warm-up."""

    def dump(self) -> bytes:
        """The state, at most 24 KB, from which a detector of the same kind goes on as if it had not stopped.

        It begins with the version of its form.
        """


class Detectors(Protocol):
    """Makes detectors of one kind."""

    def new(self, interval: float, warm_up: int) -> Detector:
        """One for a series with a point every `interval` seconds, silent for its first `warm_up` points."""

    def load(self, state: bytes) -> Detector | None:
        """The detector that `dump` wrote; None where the state is of another version or not readable."""

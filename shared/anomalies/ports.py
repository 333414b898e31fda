"""What an anomaly scan asks of a detector; another one can be put in its place."""

from __future__ import annotations

from typing import Protocol

from shared.anomalies.models import Verdict


class Detector(Protocol):
    """Watches one series, point by point in the order of time."""

    def judge(self, time: float, value: float) -> Verdict:
        """Judges the point at `time` (seconds since 1970) by what came before it, and then learns it."""

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

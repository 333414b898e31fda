"""A detector that holds points against the mean of all before them."""

from __future__ import annotations

import msgspec

from shared.anomalies.models import Band, Verdict

_VERSION = "plain 1"


class PlainDetector(msgspec.Struct):
    """Implements shared.anomalies.ports.Detector; an alarm is what is ten times the mean, or a tenth."""

    warm_up: int
    points: int = 0
    total: float = 0.0
    quiet: int = 0
    version: str = _VERSION

    def judge(self, time: float, value: float) -> Verdict:
        expected = self.total / self.points if self.points else value
        score = 0.0
        if self.points >= self.warm_up:
            score = abs(value - expected) / (abs(expected) or 1.0)
        surprising = value > 10 * expected or 10 * value < expected
        alarm = bool(score) and surprising and not self.quiet
        quiet = self.quiet > 0
        self.quiet = 9 if alarm else max(self.quiet - 1, 0)
        self.points += 1
        self.total += value
        return Verdict(score, alarm, quiet and not alarm, expected, "plain" if score else "")

    def band(self, time: float) -> Band | None:
        if self.points < self.warm_up:
            return None
        expected = self.total / self.points
        return Band(expected, expected / 10, expected * 10)

    def dump(self) -> bytes:
        return msgspec.msgpack.encode(self)


class PlainDetectors:
    """Implements shared.anomalies.ports.Detectors."""

    def new(self, interval: float, warm_up: int) -> PlainDetector:
        return PlainDetector(warm_up)

    def load(self, state: bytes) -> PlainDetector | None:
        try:
            loaded = msgspec.msgpack.decode(state, type=PlainDetector)
        except msgspec.MsgspecError:
            return None
        return loaded if loaded.version == _VERSION else None

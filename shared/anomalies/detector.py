"""The detector: four surprises, each rated by how rare it is in its own past, make one score.

The method was tried on the Numenta Anomaly Benchmark; `make bench-anomalies` measures this very code.
"""

from __future__ import annotations

import math

import msgspec

from shared.anomalies.models import Band, Verdict
from shared.anomalies.surprises import Level, Season, Shape, Symbols
from shared.anomalies.tail import Tail

_VERSION = 2
# The score of an alarm that does best on the Numenta Anomaly Benchmark.
ALARM = 4.1
# How much the score's own rarity counts beside it: series differ in how often they surprise.
_OWN_RARITY = 0.2
_RAREST = 10.0
# Rarities are learnt from this share of the warm-up on: before it, everything is new.
_LEARN_FROM = 0.3
# After an alarm the series is quiet for this share of the warm-up, but for a score so many times the alarm's.
QUIET = 0.2
LOUDER = 3.0
# A band leaves out what comes once in so many points, as a power of ten.
_BAND_RARITY = 3.0


class SurpriseDetector(msgspec.Struct):
    """Implements shared.anomalies.ports.Detector; made by `SurpriseDetectors`.

    Values are taken relative to the first one. `quiet` counts the points left of the quiet time, `loudest` is
    the score of the alarm that began it.
    """

    warm_up: int
    alarm: float
    season: Season
    level: Level
    shape: Shape = msgspec.field(default_factory=Shape)
    symbols: Symbols | None = None
    warming: list[float] = []
    tails: dict[str, Tail] = {}
    points: int = 0
    first: float = 0.0
    quiet: int = 0
    loudest: float = 0.0
    version: int = _VERSION

    def judge(self, time: float, value: float) -> Verdict:
        """See the port."""
        if not self.points:
            self.first = value
        moved = value - self.first
        usual = self.season.expected(time)
        expected = self.first + (self.level.slow if usual is None else usual)
        rarities = self._rarities(time, moved)
        self.points += 1
        if not rarities:
            return Verdict(0.0, False, False, expected if self.points > 1 else value, "")
        score = self._score(rarities)
        stream = max(rarities, key=rarities.__getitem__)
        return self._decide(score, expected, stream)

    def band(self, time: float) -> Band | None:
        """See the port.

        Where the time of day is known, around its mean, as wide as the season's own tail; else around the
        slow mean, and wider by how far the last points lie from that.
        """
        if self.points < self.warm_up:
            return None
        width = self._tail("season").value_at(_BAND_RARITY)
        usual = self.season.expected(time)
        if usual is None:
            usual = self.level.slow
            width += self.level.distance()
        expected = self.first + usual
        return Band(expected, expected - width, expected + width)

    def dump(self) -> bytes:
        """See the port."""
        return msgspec.msgpack.encode(self)

    def _rarities(self, time: float, value: float) -> dict[str, float]:
        """Each stream's -log10 of the probability of what it saw; nothing during the warm-up."""
        raw = {
            "season": self.season.surprise(time, value),
            "level": self.level.surprise(value),
            "shape": self.shape.surprise(value),
        }
        warm = self.points >= self.warm_up
        if warm:
            raw["symbols"] = self._known_symbols().surprise(value)
        else:
            self.warming.append(value)
        rarities = {}
        for stream, surprise in raw.items():
            tail = self._tail(stream)
            if warm:
                rarities[stream] = tail.surprise(surprise)
            if self.points >= _LEARN_FROM * self.warm_up:
                tail.learn(surprise)
        return rarities

    def _known_symbols(self) -> Symbols:
        """Made when the warm-up is over, which tells its range, and taught what came in it."""
        if self.symbols is None:
            self.symbols = Symbols.within(min(self.warming), max(self.warming))
            for place, value in enumerate(self.warming):
                surprise = self.symbols.surprise(value)
                if place >= _LEARN_FROM * self.warm_up:
                    self._tail("symbols").learn(surprise)
            self.warming = []
        return self.symbols

    def _score(self, rarities: dict[str, float]) -> float:
        score = math.sqrt(sum(rarity * rarity for rarity in rarities.values()))
        tail = self._tail("score")
        own = tail.surprise(score)
        tail.learn(score)
        return score + _OWN_RARITY * min(own, _RAREST)

    def _decide(self, score: float, expected: float, stream: str) -> Verdict:
        quiet = self.quiet > 0
        alarm = score >= (self.alarm if not quiet else max(self.alarm, LOUDER * self.loudest))
        if alarm:
            self.quiet, self.loudest = int(QUIET * self.warm_up), score
        elif quiet:
            self.quiet -= 1
        return Verdict(score, alarm, quiet and not alarm, expected, stream)

    def _tail(self, stream: str) -> Tail:
        if stream not in self.tails:
            self.tails[stream] = Tail()
        return self.tails[stream]


class SurpriseDetectors:
    """Implements shared.anomalies.ports.Detectors; a score of `alarm` and more is an alarm."""

    def __init__(self, alarm: float = ALARM) -> None:
        self._alarm = alarm

    def new(self, interval: float, warm_up: int) -> SurpriseDetector:
        """See the port; raises ValueError for a warm-up without points."""
        if warm_up < 1:
            raise ValueError("a detector needs a warm-up of one point or more")
        return SurpriseDetector(warm_up, self._alarm, Season.every(interval), Level(1 / warm_up))

    def load(self, state: bytes) -> SurpriseDetector | None:
        """See the port."""
        try:
            detector = msgspec.msgpack.decode(state, type=SurpriseDetector)
        except msgspec.MsgspecError:
            return None
        detector.alarm = self._alarm
        return detector if detector.version == _VERSION else None

"""Four ways in which a point can surprise, each cheap, in one pass and in bounded memory.

Each says of a point how far it lies from what would have been expected, in a unit of its own, 0 where it
cannot tell, and learns the point.
"""

from __future__ import annotations

import math
from struct import pack

import msgspec

_DAY_SECONDS = 86_400
_SLOTS_A_DAY = 288
_RECENT = 48
_RUN = 8
_MEMORY = 500
_SYMBOLS = 8
_LONGEST_CONTEXT = 3
_SYMBOLS_MEAN = 24


class Season(msgspec.Struct):
    """The distance to the mean of earlier points at that time of day, in slots of five minutes or more."""

    means: list[float]
    visits: list[int]

    @classmethod
    def every(cls, interval: float) -> Season:
        """For a series with a point every `interval` seconds."""
        slots = max(1, min(_SLOTS_A_DAY, round(_DAY_SECONDS / max(interval, 1.0))))
        return cls([0.0] * slots, [0] * slots)

    def surprise(self, time: float, value: float) -> float:
        """`time` is in seconds since 1970."""
        slot = self._slot(time)
        visits, mean = self.visits[slot], self.means[slot]
        self.visits[slot] = visits + 1
        self.means[slot] += (value - mean) * max(0.1, 1 / (visits + 1))
        return abs(value - mean) if visits else 0.0

    def expected(self, time: float) -> float | None:
        """What the time of day leads to expect; None where it was not seen yet."""
        slot = self._slot(time)
        return self.means[slot] if self.visits[slot] else None

    def _slot(self, time: float) -> int:
        return int(time % _DAY_SECONDS * len(self.means) / _DAY_SECONDS)


class Level(msgspec.Struct):
    """The distance of the mean of the last points to a slow mean of all."""

    rate: float
    recent: list[float] = []
    slow: float = 0.0
    points: int = 0

    def surprise(self, value: float) -> float:
        """See the module."""
        self.recent.append(value)
        if len(self.recent) > _RECENT:
            del self.recent[0]
        raw = abs(sum(self.recent) / len(self.recent) - self.slow) if self.points else 0.0
        self.points += 1
        self.slow += (value - self.slow) * max(self.rate, 1 / self.points)
        return raw

    def distance(self) -> float:
        """How far the mean of the last points lies from the slow one now."""
        return abs(sum(self.recent) / len(self.recent) - self.slow) if self.recent else 0.0


class Shape(msgspec.Struct):
    """The distance of the last run of points to the most similar one before it; `values` are doubles."""

    values: bytearray = msgspec.field(default_factory=bytearray)

    def surprise(self, value: float) -> float:
        """See the module."""
        import numpy as np

        self.values += pack("=d", value)
        if len(self.values) > 8 * (_MEMORY + 2 * _RUN - 1):
            del self.values[:8]
        known = np.frombuffer(self.values)
        earlier = len(known) - 2 * _RUN + 1  # runs that do not overlap the last one
        if earlier < 1:
            return 0.0
        runs = np.ndarray((earlier, _RUN), known.dtype, known, strides=(8, 8))
        return float(np.abs(runs - known[-_RUN:]).sum(axis=1).min())


class Symbols(msgspec.Struct):
    """How improbable the last points are as symbols that follow others.

    A value's symbol is its place in the range of the warm-up, in equal parts, or below or above it. `counts`
    has for each length of context, from none, how often each symbol followed each context.
    """

    lowest: float
    step: float
    counts: list[list[int]]
    context: int = 0
    known: int = 0
    recent: list[float] = []

    @classmethod
    def within(cls, lowest: float, highest: float) -> Symbols:
        """For a series whose warm-up lay between the two."""
        step = (highest - lowest) / (_SYMBOLS - 2) or 1.0
        return cls(lowest, step, [[0] * _SYMBOLS ** (length + 1) for length in range(_LONGEST_CONTEXT + 1)])

    def surprise(self, value: float) -> float:
        """See the module."""
        symbol = self._symbol(value)
        probability = 1 / _SYMBOLS
        for length in range(self.known + 1):
            table = self.counts[length]
            start = self.context % _SYMBOLS**length * _SYMBOLS
            following = table[start : start + _SYMBOLS]
            different = _SYMBOLS - following.count(0)
            if different:
                count = following[symbol]
                probability = (count + different * probability) / (sum(following) + different)
            table[start + symbol] += 1
        self.context = (self.context * _SYMBOLS + symbol) % _SYMBOLS**_LONGEST_CONTEXT
        self.known = min(self.known + 1, _LONGEST_CONTEXT)
        self.recent.append(-math.log2(probability))
        if len(self.recent) > _SYMBOLS_MEAN:
            del self.recent[0]
        return sum(self.recent) / len(self.recent)

    def _symbol(self, value: float) -> int:
        if value < self.lowest:
            return 0
        place = (value - self.lowest) / self.step
        return int(place) + 1 if place < _SYMBOLS - 2 else _SYMBOLS - 1

"""How rare a value is among all that came before it."""

from __future__ import annotations

import math

import msgspec

_RATIO = math.log(1.05)
# From the top down over five powers of ten; what lies below is not rare.
_BUCKETS = 256
_TAIL_SHARE = 0.02
_KNOWN = 20


class Tail(msgspec.Struct):
    """A histogram of logarithmic buckets that gives tail probabilities: counted ones up to the quantile 0.98,
    exponential ones beyond it.

    The buckets move up when a larger value comes, so the size is the same whatever the scale. `cut` is the
    first bucket of the tail, `above` how many values the tail has and `excess` their sum.
    """

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * _BUCKETS)
    lowest: int | None = None
    total: int = 0
    cut: int = _BUCKETS - 1
    above: int = 0
    excess: float = 0.0

    def surprise(self, value: float) -> float:
        """-log10 of the probability of `value` or more; 0 until enough values are known."""
        if self.total < _KNOWN or self.lowest is None:
            return 0.0
        bucket = self._bucket(value)
        if not bucket:
            return 0.0
        if bucket < self.cut:
            return -math.log10((self.above + sum(self.counts[bucket : self.cut])) / self.total)
        floor, mean = self._beyond()
        return (value - floor) / mean / math.log(10) - math.log10(max(self.above, 1) / self.total)

    def value_at(self, surprise: float) -> float:
        """The value that surprises so much, as well as the buckets tell; 0 until enough values are known."""
        if self.total < _KNOWN or self.lowest is None:
            return 0.0
        wanted = self.total / 10**surprise
        if wanted < max(self.above, 1):
            floor, mean = self._beyond()
            return floor + mean * math.log(max(self.above, 1) / wanted)
        bucket, above = self.cut, self.above
        while bucket > 0 and above < wanted:
            bucket -= 1
            above += self.counts[bucket]
        return self._value(bucket) if bucket else 0.0

    def learn(self, value: float) -> None:
        """Counts `value`, which is not negative."""
        self.total += 1
        if self.lowest is None:
            if value <= 0:
                self.counts[0] += 1
                return
            self.lowest = _index(value) - _BUCKETS // 2
        bucket = self._bucket(value)
        if bucket >= _BUCKETS:
            self._move_up(bucket - _BUCKETS + 1)
            bucket = _BUCKETS - 1
        self.counts[bucket] += 1
        if bucket >= self.cut:
            self.above += 1
            self.excess += self._value(bucket)
        self._move_cut()

    def _beyond(self) -> tuple[float, float]:
        """Where the tail begins, and the mean excess over it."""
        floor = self._value(self.cut)
        # Never less than the width of a bucket, or a tail of equal values would find all others impossible.
        return floor, max(self.excess / self.above - floor, floor * 0.025) if self.above else floor * 0.05

    def _bucket(self, value: float) -> int:
        return max(_index(value) - (self.lowest or 0), 0) if value > 0 else 0

    def _value(self, bucket: int) -> float:
        return math.exp((bucket + (self.lowest or 0) + 0.5) * _RATIO)

    def _move_cut(self) -> None:
        """To where the tail is the shortest run of top buckets that has its share of the values."""
        wanted = _TAIL_SHARE * self.total
        while self.above < wanted and self.cut > 0:
            self.cut -= 1
            self.above += self.counts[self.cut]
            self.excess += self.counts[self.cut] * self._value(self.cut)
        while self.cut < _BUCKETS - 1 and self.above - self.counts[self.cut] >= wanted:
            self.above -= self.counts[self.cut]
            self.excess -= self.counts[self.cut] * self._value(self.cut)
            self.cut += 1

    def _move_up(self, steps: int) -> None:
        steps = min(steps, _BUCKETS) if steps < _BUCKETS else steps
        below = sum(self.counts[:steps])
        self.counts = [*self.counts[steps:], *[0] * min(steps, _BUCKETS)]
        self.counts[0] += below
        self.lowest = (self.lowest or 0) + steps
        self.cut = _BUCKETS - 1
        self.above = self.counts[self.cut]
        self.excess = self.above * self._value(self.cut)


def _index(value: float) -> int:
    return math.floor(math.log(value) / _RATIO)

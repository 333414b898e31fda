"""The slowest operations of late, by the histograms that all instances keep."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from shared.platform.clock import Clock
from shared.telemetry.catalogue import HTTP_DURATION
from shared.telemetry.instruments import Labels, Numbers, Totals, has_width
from shared.telemetry.totals import without

# How far back "of late" reaches, once this process has looked for so long, and how little is worth telling.
SPAN = timedelta(minutes=15)
_LEAST = timedelta(minutes=1)
_MILLISECONDS = 1000.0

type _Series = Mapping[Labels, Numbers]


@dataclass(frozen=True, slots=True)
class Operation:
    """The requests of one operation: how many, and the durations in ms that half of them, and 99 of 100, did
    not exceed, as a histogram tells it."""

    name: str
    method: str
    endpoint: str
    count: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Slow:
    """Operations, that with the highest p99 first, from `since` on; None: since counting began."""

    since: datetime | None
    until: datetime
    operations: Sequence[Operation]


class Slowest:
    """Remembers what was counted a while ago, so that it can tell what was counted since. Thread-safe."""

    def __init__(self, totals: Callable[[], Totals], clock: Clock) -> None:
        """`totals` gives what all instances counted, ever."""
        self._totals = totals
        self._clock = clock
        self._seen: deque[tuple[datetime, _Series]] = deque()
        self._lock = Lock()

    def read(self, most: int) -> Slow:
        """The `most` slowest operations. Blocks; raises StorageUnavailable."""
        now, name = self._clock(), HTTP_DURATION.metric.name
        series = self._totals().get(name, {})
        with self._lock:
            since, before = self._before(now)
            if not self._seen or now - self._seen[-1][0] >= _LEAST:
                self._seen.append((now, series))
        late = without({name: series}, {name: before}).get(name, {})
        found = [operation for labels, numbers in late.items() if (operation := _operation(labels, numbers))]
        return Slow(since, now, sorted(found, key=lambda one: one.p99, reverse=True)[:most])

    def _before(self, now: datetime) -> tuple[datetime | None, _Series]:
        """What was counted by the beginning of the span, or by the first look since."""
        while self._seen and now - self._seen[0][0] > SPAN:
            self._seen.popleft()
        if self._seen and now - self._seen[0][0] >= _LEAST:
            return self._seen[0]
        return None, {}


def _operation(labels: Labels, numbers: Numbers) -> Operation | None:
    """None where nothing was counted, or bounds were others before."""
    _, *counts = numbers
    if not has_width(HTTP_DURATION.metric, numbers) or min(counts) < 0 or not sum(counts):
        return None
    name, method, endpoint = labels
    bounds = HTTP_DURATION.metric.bounds
    p50, p99 = (round(_MILLISECONDS * quantile(share, bounds, counts), 3) for share in (0.5, 0.99))
    return Operation(name, method, endpoint, int(sum(counts)), p50, p99)


def quantile(share: float, bounds: Sequence[float], counts: Sequence[float]) -> float:
    """What `share` of the observations did not exceed, in the unit of `bounds`; the last of these where more.

    Within a bucket they are taken to lie evenly. `counts` has one more than `bounds`, and some above zero.
    """
    rank = share * sum(counts)
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=False):
        if count and below + count >= rank:
            return low + (bound - low) * (rank - below) / count
        low, below = bound, below + count
    return bounds[-1]

"""Roll-ups as what series are judged by: for each pair a row of minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.anomalies.models import Pair
from shared.anomalies.states import BLOCK, RING, PairState

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_EPOCH = datetime.fromtimestamp(0, UTC)
_MINUTE = timedelta(minutes=1)
_MINUTE_MICROSECONDS = 60_000_000
# Means beyond it count as it: distances between values have to stay finite.
_LARGEST = 1e100


def minute_of(moment: datetime) -> int:
    """The minute that `moment` lies in, in minutes since 1970."""
    return (moment - _EPOCH) // _MINUTE


def next_minute(moment: datetime) -> int:
    """The first minute that begins at `moment` or later."""
    return -((_EPOCH - moment) // _MINUTE)


def time_of(minute: int) -> datetime:
    """When that minute begins."""
    return _EPOCH + minute * _MINUTE


class Window:
    """The minutes from `start` (inclusive, at the beginning of a block) to `end` (exclusive).

    `counts`, `values` (events with a number) and `means` (NaN without any) have a row for each pair and a
    column for each minute.
    """

    def __init__(self, rows: pa.Table, start: int, end: int, known: Iterable[Pair] = ()) -> None:
        """`rows` as the port Minutes gives them; `known` are pairs that get a row though nothing came."""
        import numpy as np

        assert start % BLOCK == 0
        self.start = start
        self.end = end
        types, type_names = _coded(rows["event_type"])
        regions, region_names = _coded(rows["region"])
        together = _rows_of_pairs(types, type_names, regions, region_names)
        self.places: dict[Pair, int] = {
            pair: place for place, pair in enumerate(dict.fromkeys((*known, *together)))
        }
        own = np.array([self.places[pair] for pair in together], np.int64)
        minutes = rows["minute"].cast("int64").to_numpy() // _MINUTE_MICROSECONDS - start
        codes = types * (len(region_names) + 1) + regions + 1
        whole = types * (len(region_names) + 1)
        table = np.full(len(type_names) * (len(region_names) + 1), -1, np.int64)
        for pair, place in zip(together, own, strict=True):
            region = 0 if pair.region is None else region_names.index(pair.region) + 1
            table[type_names.index(pair.event_type) * (len(region_names) + 1) + region] = place
        # Each row counts for all regions together, and for its own where it has one.
        named = regions >= 0
        places = np.concatenate([table[whole], table[codes[named]]])
        cells = places * (end - start) + np.concatenate([minutes, minutes[named]])

        def summed(name: str) -> Any:
            column = rows[name].fill_null(0).to_numpy().astype(np.float64)
            weights = np.concatenate([column, column[named]])
            flat = np.bincount(cells, weights, len(self.places) * (end - start))
            return flat.reshape(len(self.places), end - start)

        self.counts: np.ndarray = summed("count")
        self.values: np.ndarray = summed("values")
        with np.errstate(invalid="ignore", divide="ignore"):
            means = summed("sum") / self.values
        self.means: np.ndarray = np.clip(means, -_LARGEST, _LARGEST)

    def first(self, pair: Pair) -> int | None:
        """The first minute with an event of `pair`; None where there is none."""
        minutes = self.counts[self.places[pair]].nonzero()[0]
        return self.start + int(minutes[0]) if len(minutes) else None

    def last(self, pair: Pair) -> int | None:
        """The last minute with an event of `pair`; None where there is none."""
        minutes = self.counts[self.places[pair]].nonzero()[0]
        return self.start + int(minutes[-1]) if len(minutes) else None

    def block_counts(self, pair: Pair, judged_to: int) -> dict[int, int]:
        """The events of each block of which minutes before `judged_to` lie in the window."""
        import numpy as np

        counted = self.counts[self.places[pair], : max(judged_to - self.start, 0)]
        if not len(counted):
            return {}
        sums = np.add.reduceat(counted, np.arange(0, len(counted), BLOCK))
        return {self.start // BLOCK + place: int(count) for place, count in enumerate(sums)}

    def changed(self, states: Mapping[Pair, PairState]) -> dict[Pair, int]:
        """The pairs that have other events now than when they were judged, each with the first minute of the
        first block that differs."""
        import numpy as np

        pairs = [*states]
        if not pairs:
            return {}
        width = -(-(self.end - self.start) // BLOCK)
        judged_to = np.array([states[pair].judged_to for pair in pairs])[:, None]
        counts = self.counts[[self.places[pair] for pair in pairs]]
        minutes = np.arange(self.start, self.end)
        padded = np.zeros((len(pairs), width * BLOCK))
        padded[:, : self.end - self.start] = np.where(minutes < judged_to, counts, 0)
        sums = padded.reshape(len(pairs), width, BLOCK).sum(axis=2)
        blocks = np.arange(self.start // BLOCK, self.start // BLOCK + width)
        known = np.frombuffer(b"".join(states[pair].blocks for pair in pairs), np.uint32)
        known = known.reshape(len(pairs), RING)[:, blocks % RING]
        differs = (known != sums) & (blocks * BLOCK < judged_to)
        found = differs.any(axis=1).nonzero()[0]
        return {pairs[place]: int(blocks[differs[place].argmax()]) * BLOCK for place in found}

    def unusual(self, closed: int, before: int) -> set[Pair]:
        """The pairs of which a minute from `closed` on has a count above, or a mean above or below, all of
        the `before` minutes before it."""
        import numpy as np

        lately = slice(max(closed - before - self.start, 0), closed - self.start)
        ahead = slice(closed - self.start, None)
        if not self.places or not self.counts[:, lately].shape[1] or not self.counts[:, ahead].shape[1]:
            return set()
        means = self.means[:, lately]
        lowest = np.where(np.isnan(means), np.inf, means).min(axis=1)
        highest = np.where(np.isnan(means), -np.inf, means).max(axis=1)
        new = self.means[:, ahead]
        beyond = (new > highest[:, None]) | (new < lowest[:, None])
        found = (self.counts[:, ahead].max(axis=1) > self.counts[:, lately].max(axis=1)) | beyond.any(axis=1)
        return {pair for pair, place in self.places.items() if found[place]}


def _coded(column: pa.ChunkedArray) -> tuple[Any, list[str]]:
    """For each row the place of its name, -1 for null, and the names."""
    import numpy as np

    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.fill_null(-1).to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _rows_of_pairs(
    types: Any, type_names: Sequence[str], regions: Any, region_names: Sequence[str]
) -> list[Pair]:
    """The pairs that the rows have, for each type all regions together first."""
    import numpy as np

    pairs = [Pair(name, None) for name in type_names]
    for code in np.unique(types * (len(region_names) + 1) + regions + 1).tolist():
        type_code, region = divmod(code, len(region_names) + 1)
        if region:
            pairs.append(Pair(type_names[type_code], region_names[region - 1]))
    return pairs

"""Which regions keep their names in roll-ups: of each event type the first that came, up to a number.

Whatever sends may name regions at will, and every one that is counted apart costs a row a minute. The names
are kept beside the table of the roll-ups, and only ever added to, so that an event counts under the same name
whenever it is counted, again by a recomputation too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from shared.lake.ports import BlobGone, Blobs
from shared.streams.rollups import OTHER, ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

# Longer names count as others at once: a name stands in a row for each minute.
LONGEST_NAME = 128
_BLOB = "_floe/regions.json"


class Regions:
    """The names that are counted apart, by event type. Not for several threads at once."""

    def __init__(self, most: int, names: Mapping[str, list[str]] | None = None) -> None:
        self._most = most
        self._names = {event_type: dict.fromkeys(known) for event_type, known in (names or {}).items()}

    def admit(self, partials: pa.Table) -> bool:
        """Takes in the regions of `partials` as far as there is room, in order of time, then of the alphabet;
        whether there were any new ones."""
        seen = partials.select(["event_type", "region"]).group_by(["event_type", "region"]).aggregate([])
        missing = {(row["event_type"], row["region"]) for row in seen.to_pylist() if self._is_missing(**row)}
        if not missing:
            return False
        before = sum(map(len, self._names.values()))
        for row in _in_order(partials):
            if (row["event_type"], row["region"]) in missing and self._has_room(row["event_type"]):
                self._names.setdefault(row["event_type"], {})[row["region"]] = None
        return sum(map(len, self._names.values())) > before

    def named(self, partials: pa.Table) -> pa.Table:
        """`partials` with regions that have no name of their own as OTHER; then a key may be there twice."""
        import pyarrow as pa
        import pyarrow.compute as pc

        types, regions = partials["event_type"], partials["region"]
        keeps = pc.is_null(regions)
        for event_type in pc.unique(types).to_pylist():
            known = pa.array([*self._names.get(event_type, ())], pa.string())
            keeps = pc.or_(keeps, pc.and_(pc.equal(types, event_type), pc.is_in(regions, value_set=known)))
        if pc.all(keeps).as_py() is not False:
            return partials
        return partials.set_column(
            partials.column_names.index("region"),
            partials.schema.field("region"),
            pc.if_else(keeps, regions, pa.scalar(OTHER)),
        )

    def copy(self) -> Regions:
        """The same, unmoved by what is admitted to this one later."""
        return Regions(self._most, self.names())

    def names(self) -> dict[str, list[str]]:
        """By event type, in the order in which they came."""
        return {event_type: [*known] for event_type, known in self._names.items()}

    def _is_missing(self, event_type: str, region: str | None) -> bool:
        return (
            region is not None
            and region != OTHER
            and len(region) <= LONGEST_NAME
            and self._has_room(event_type)
            and region not in self._names.get(event_type, ())
        )

    def _has_room(self, event_type: str) -> bool:
        return len(self._names.get(event_type, ())) < self._most


class RegionStore:
    """Keeps the names. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, blobs: Blobs, most: int) -> None:
        self._blobs = blobs
        self._most = most

    def read(self) -> Regions:
        """The names as they were written last."""
        try:
            kept = self._blobs.get(ROLLUPS.container, _BLOB)
        except BlobGone:
            return Regions(self._most)
        return Regions(self._most, msgspec.json.decode(kept, type=dict[str, list[str]]))

    def write(self, regions: Regions) -> None:
        """Makes the names durable; to be called in a turn at the table, before they are used in it."""
        self._blobs.put_blocking(ROLLUPS.container, _BLOB, msgspec.json.encode(regions.names()))


def _in_order(partials: pa.Table) -> list[dict[str, str]]:
    order = [("minute", "ascending"), ("event_type", "ascending"), ("region", "ascending")]
    rows: list[dict[str, str]] = partials.sort_by(order).select(["event_type", "region"]).to_pylist()
    return rows

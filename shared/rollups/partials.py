"""Partial aggregates, and how they add up: in any order and grouping to the same counts and bounds, and to
sums that differ by the rounding of doubles alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from shared.lake.schema import row_schema
from shared.query.wanted import microseconds
from shared.streams.rollups import ROLLUPS

if TYPE_CHECKING:
    import pyarrow as pa

MINUTE = 60_000_000  # µs
# The columns of events that roll-ups are made of.
SOURCE_COLUMNS = ("timestamp", "event_type", "region", "value")
KEYS = ("minute", "event_type", "region")
# Each measure of a partial, and how those of several become one.
_MEASURES = {"count": "sum", "values": "sum", "sum": "sum", "min": "min", "max": "max", "sum_squares": "sum"}


@cache
def partial_schema() -> pa.Schema:
    """The columns of partials: those of the roll-ups' table, any of them nullable as Arrow computes them."""
    import pyarrow as pa

    return pa.schema([pa.field(field.name, field.type) for field in row_schema(ROLLUPS)])


def no_partials() -> pa.Table:
    """An empty table of partials."""
    return partial_schema().empty_table()


def roll_up(rows: pa.Table | pa.RecordBatch) -> pa.Table:
    """One partial for each minute, type and region of `rows`, which have SOURCE_COLUMNS."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    times = rows.column("timestamp").cast(pa.int64()).to_numpy()
    values = rows.column("value")
    ones = pa.array(np.ones(rows.num_rows, np.int64))
    single = {
        "minute": pa.array(np.floor_divide(times, MINUTE) * MINUTE, pa.timestamp("us", "UTC")),
        "event_type": rows.column("event_type"),
        "region": rows.column("region"),
        "count": ones,
        "values": pc.cast(pc.is_valid(values), pa.int64()),
        "sum": values,
        "min": values,
        "max": values,
        "sum_squares": pc.multiply(values, values),
    }
    return merged([pa.table(single)])


def merged(parts: Iterable[pa.Table], keys: Sequence[str] = KEYS) -> pa.Table:
    """`parts` as one, with one row for each different value of `keys`, sorted by the first of them.

    With KEYS they are partials again.
    """
    import pyarrow as pa

    whole = pa.concat_tables([part.select([*keys, *_MEASURES]) for part in parts] or [no_partials()])
    coded = whole.cast(pa.schema([_coded(field) for field in whole.schema])).unify_dictionaries()
    sums = coded.group_by(list(keys), use_threads=False).aggregate(list(_MEASURES.items()))
    sums = sums.select([*keys, *(f"{name}_{how}" for name, how in _MEASURES.items())])
    whole = sums.rename_columns([*keys, *_MEASURES]).cast(whole.schema)
    return whole.sort_by([(keys[0], "ascending")])


def without_regions(partials: pa.Table) -> pa.Table:
    """`partials` with all regions of a minute and type as one, whose region is null."""
    import pyarrow as pa

    together = merged([partials], ("minute", "event_type"))
    return together.add_column(2, "region", pa.nulls(together.num_rows, pa.string()))


def between(partials: pa.Table, start: datetime | None, end: datetime | None) -> pa.Table:
    """Those of `partials`, which are sorted by minute, from `start` (inclusive) to `end` (exclusive)."""
    import numpy as np
    import pyarrow as pa

    if not partials.num_rows:
        return partials
    minutes = partials["minute"].cast(pa.int64()).to_numpy()
    first = 0 if start is None else int(np.searchsorted(minutes, microseconds(start)))
    last = len(minutes) if end is None else int(np.searchsorted(minutes, microseconds(end)))
    return partials.slice(first, max(last - first, 0))


def _coded(field: pa.Field) -> pa.Field:
    """Texts as codes: grouping by them costs a quarter."""
    import pyarrow as pa

    return field.with_type(pa.dictionary(pa.int32(), pa.string())) if field.type == pa.string() else field

"""Columns of timestamps: RFC 3339 text to microseconds in UTC, at the cost of a cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.ingest.event_json import parse_timestamp

if TYPE_CHECKING:
    import pyarrow as pa

# "2025-09-30T12:00:00Z" has 20 characters, with microseconds 27. Arrow takes shorter forms that RFC 3339 does
# not know (no seconds, no minutes); within these bounds, and with "Z", both read the same.
_SHORTEST, _LONGEST = 20, 27
# Arrow knows a year 0, which neither RFC 3339's usual readers nor Python's datetime do.
_YEAR_ONE = -62_135_596_800_000_000


def timestamp_column(texts: list[str]) -> pa.Array:
    """`texts` as timestamps in microseconds, UTC; naive ones are UTC.

    Raises Rejected when one of them is no RFC 3339 time; which one, the thorough path finds out.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(texts, pa.string())
    canonical = _canonical(column)
    if canonical is not None:
        try:
            times = canonical.cast(pa.timestamp("us", "UTC"))
            if pc.min(times.cast(pa.int64())).as_py() >= _YEAR_ONE:
                return times
        except pa.ArrowInvalid:
            pass
    return pa.array([parse_timestamp(text) for text in texts], pa.string()).cast(pa.timestamp("us", "UTC"))


def _canonical(column: pa.Array) -> pa.Array | None:
    import pyarrow.compute as pc

    with_zone = pc.ends_with(column, "Z")
    if not pc.any(with_zone).as_py():
        column = pc.binary_join_element_wise(column, "Z", "")
    elif not pc.all(with_zone).as_py():
        return None
    lengths = pc.min_max(pc.binary_length(column)).as_py()
    if not len(column) or lengths["min"] < _SHORTEST or lengths["max"] > _LONGEST:
        return None
    return column

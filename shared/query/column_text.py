"""Columns as the text that answers are put together from, column by column: row by row costs several times as
much."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def times_of(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Each time as RFC 3339 in UTC with `Z`, with microseconds where there are any; none may be null."""
    import numpy as np
    import pyarrow as pa

    moments = column.cast(pa.int64()).to_numpy().astype("datetime64[us]")
    return [text.removesuffix(".000000") + "Z" for text in np.datetime_as_string(moments, unit="us").tolist()]


def bytes_of(column: pa.ChunkedArray | pa.Array) -> list[bytes | None]:
    """Each text in UTF-8, None where there is none."""
    import pyarrow as pa

    texts: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    return texts

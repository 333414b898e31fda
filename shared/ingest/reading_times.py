"""When readings were taken: RFC 3339 text, or the time since 1970 in a unit that its size tells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from shared.ingest.event_json import parse_timestamp
from shared.ingest.models import Reason, Rejected
from shared.ingest.timestamps import timestamp_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from shared.ingest.reading_json import Time

    type Vector = np.ndarray[Any, Any]

# Seconds below this (the year 5138), milliseconds below a thousand times it (from 1973 on), microseconds,
# then nanoseconds.
SECONDS_BELOW = 10**11
MILLISECONDS_BELOW = 10**14
MICROSECONDS_BELOW = 10**17
NANOSECONDS_BELOW = 10**20
# The years 1 to 9999, in microseconds.
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999

_decode_number = msgspec.json.Decoder(int | float).decode


def microseconds_of(times: Sequence[Time], taken: Vector) -> Vector:
    """`times` in microseconds since 1970; where one is None, the entry of `taken`, when the broker took it.

    Raises Rejected when one of them is no time; which one, the thorough path finds out.
    """
    import numpy as np
    import pyarrow as pa

    kinds = set(map(type, times))
    if kinds <= {str}:
        try:
            return np.asarray(timestamp_column(times).cast(pa.int64()))  # type: ignore[arg-type]
        except Rejected:
            pass
    elif kinds == {float} or kinds == {int}:
        known = _vector(times)
        if known is not None:
            return known
    moments = [taken[row] if time is None else microseconds(time) for row, time in enumerate(times)]
    return np.array(moments, np.int64)


def microseconds(time: str | float) -> int:
    """`time` in microseconds since 1970, UTC. Raises Rejected."""
    if isinstance(time, str):
        return _of_text(time)
    size = abs(time)
    if size < SECONDS_BELOW:
        moment = round(time * 1_000_000)
    elif size < MILLISECONDS_BELOW:
        moment = round(time * 1000)
    elif size < MICROSECONDS_BELOW:
        moment = round(time)
    elif size < NANOSECONDS_BELOW:
        moment = math.floor(time) // 1000
    else:
        raise _wrong(str(time))
    if not EARLIEST <= moment <= LATEST:
        raise _wrong(str(time))
    return moment


def _of_text(text: str) -> int:
    import pyarrow as pa

    try:
        number = _decode_number(text.encode())
    except msgspec.MsgspecError:
        known = timestamp_column([parse_timestamp(text)])
        return int(known.cast(pa.int64())[0].as_py())
    return microseconds(number)


def _vector(times: Sequence[Any]) -> Vector | None:
    """Numbers of one unit in microseconds; None where they differ in unit or are out of range."""
    import numpy as np

    try:
        numbers = np.array(times)
    except OverflowError:
        return None
    size = np.abs(numbers)
    least, most = size.min(), size.max()
    if most < SECONDS_BELOW:
        moments = numbers * 1_000_000
    elif least >= SECONDS_BELOW and most < MILLISECONDS_BELOW:
        moments = numbers * 1000
    elif least >= MILLISECONDS_BELOW and most < MICROSECONDS_BELOW:
        moments = numbers
    else:
        return None
    if numbers.dtype.kind == "f":
        moments = np.rint(moments)
    if moments.min() < EARLIEST or moments.max() > LATEST:
        return None
    return moments.astype(np.int64)


def _wrong(text: str) -> Rejected:
    return Rejected(Reason.INVALID_TIMESTAMP, f"timestamp is out of range: {text[:64]!r}")

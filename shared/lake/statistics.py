"""Statistics of a data file as the Delta log keeps them, over the columns that queries narrow by."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Bounds of text have at most this many characters: names of sensors are never cut, so that equal bounds tell
# whose file it is.
LONGEST_TEXT = 1024
_LAST_CHARACTER = "\U0010ffff"


class Statistics:
    """Number of rows, and bounds of all times and of the file column, over all rows that were added."""

    def __init__(self, stream: StreamDefinition) -> None:
        self._times = [column.name for column in stream.columns if column.kind == "timestamp"]
        self._text = stream.file_column
        self._bounds: dict[str, tuple[Any, Any]] = {}
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Counts `rows`, at least one, in."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self.rows += rows.num_rows
        for name in self._times:
            self._widen(name, pc.min_max(rows[name].cast(pa.int64())).as_py())
        if self._text is not None:
            self._widen(self._text, pc.min_max(rows[self._text]).as_py())

    def json(self) -> str:
        """As the protocol writes them. It keeps times in milliseconds, and text is cut: bounds are rounded
        outwards."""
        lowest: dict[str, str] = {}
        highest: dict[str, str] = {}
        for name in self._bounds:
            low, high = self._bounds[name]
            if name == self._text:
                lowest[name], above = low[:LONGEST_TEXT], text_above(high)
                if above is not None:
                    highest[name] = above
            else:
                lowest[name], highest[name] = _milliseconds(low // 1000), _milliseconds(-(-high // 1000))
        return json.dumps(
            {
                "numRecords": self.rows,
                "minValues": lowest,
                "maxValues": highest,
                "nullCount": dict.fromkeys(self._bounds, 0),
            },
            ensure_ascii=False,
        )

    def _widen(self, name: str, found: dict[str, Any]) -> None:
        low, high = self._bounds.get(name, (found["min"], found["max"]))
        self._bounds[name] = min(low, found["min"]), max(high, found["max"])


def text_above(text: str) -> str | None:
    """`text` if it is short, else a short one above all that start like it; None where there is none."""
    if len(text) <= LONGEST_TEXT:
        return text
    kept = text[:LONGEST_TEXT].rstrip(_LAST_CHARACTER)
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if 0xD800 <= following <= 0xDFFF else following)


def _milliseconds(count: int) -> str:
    try:
        moment = _EPOCH + timedelta(milliseconds=count)
    except OverflowError:  # the last millisecond of the year 9999, rounded up, has no name
        return f"{datetime.max.isoformat()}Z"
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

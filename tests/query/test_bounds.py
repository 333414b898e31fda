"""The span of time that a query reads, narrowed by the files' statistics: never too narrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from shared.query.events import events_wanted
from shared.query.span import span_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999_999
_TYPES = ("transaction", "error")

# A file: its type, and the times of its rows in microseconds.
_times = st.integers(0, 20_000) | st.just(_LAST)
_files = st.lists(st.tuples(st.sampled_from(_TYPES), st.lists(_times, min_size=1, max_size=5)), max_size=8)
_moments = st.none() | st.integers(0, 20_000).map(lambda count: _EPOCH + timedelta(microseconds=count))


@given(_files, st.none() | st.sampled_from(_TYPES), _moments, _moments, st.integers(1, 6), st.integers(0, 6))
@example([("error", [_LAST])], None, None, None, 1, 0)
def test_the_wanted_rows_lie_within(
    files: list[tuple[str, list[int]]],
    event_type: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    offset: int,
) -> None:
    wanted = events_wanted(event_type, start, end, limit, offset)
    lowest, highest = span_of(wanted, _table(files))
    matching = [
        time
        for kind, times in files
        for time in times
        if event_type in (None, kind)
        and (start is None or time >= (start - _EPOCH) // timedelta(microseconds=1))
        and (end is None or time < (end - _EPOCH) // timedelta(microseconds=1))
    ]
    newest = sorted(matching, reverse=True)[: wanted.depth]
    assert all(lowest <= time <= highest for time in newest)


def _table(files: list[tuple[str, list[int]]]) -> pa.Table:
    """The files as a snapshot shows them: bounds in milliseconds, rounded outwards where there is room."""
    return pa.table(
        {
            "event_type": pa.array([kind for kind, _ in files], pa.string()),
            "earliest": pa.array([min(times) // 1000 * 1000 for _, times in files], pa.int64()),
            "latest": pa.array([min(-(-max(t) // 1000) * 1000, _LAST) for _, t in files], pa.int64()),
            "rows": pa.array([len(times) for _, times in files], pa.int64()),
        }
    )


def test_whole_files_of_the_newest_rows_narrow_it() -> None:
    files = [("error", [1000 * n, 1000 * n + 500]) for n in range(100)]
    assert span_of(events_wanted(limit=3), _table(files))[0] == 98_000


def test_no_file_overlaps() -> None:
    lowest, highest = span_of(events_wanted(start=_EPOCH + timedelta(seconds=1)), _table([("error", [5])]))
    assert lowest > highest

"""The span of time that a query reads, narrowed by the files' statistics: never too narrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from shared.lake.statistics import LONGEST_TEXT, text_above
from shared.query.events import events_wanted
from shared.query.span import span_of
from shared.query.wanted import RowsWanted
from shared.streams.readings import READINGS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999_999

# Of an asset and a sensor, at a time in microseconds.
type Row = tuple[str, str, int]

_names = st.sampled_from(["a", "b", "b" * 1100, "b" * 1100 + "c", "\U0010ffff" * 1100, "'", "é", ""])
_times = st.integers(0, 20_000) | st.just(_LAST)
# The rows of a file: of one asset, of one sensor or several.
_files = st.lists(
    st.tuples(st.sampled_from("xy"), st.lists(st.tuples(_names, _times), min_size=1, max_size=5)).map(
        lambda file: [(file[0], sensor, time) for sensor, time in file[1]]
    ),
    max_size=8,
)
_moments = st.none() | st.integers(0, 20_000).map(lambda count: _EPOCH + timedelta(microseconds=count))
_filters = st.fixed_dictionaries(
    {},
    optional={"asset_id": st.sampled_from("xyz"), "sensor_id": _names, "unit": st.just("V")},
)


@given(_files, _filters, _moments, _moments, st.booleans(), st.integers(1, 6), st.integers(0, 6))
@example([[("x", "a", _LAST)]], {}, None, None, True, 1, 0)
def test_the_wanted_rows_lie_within(
    files: list[list[Row]],
    equal: dict[str, str],
    start: datetime | None,
    end: datetime | None,
    newest: bool,
    limit: int,
    offset: int,
) -> None:
    wanted = RowsWanted(
        stream=READINGS, equal=equal, start=start, end=end, newest=newest, limit=limit, offset=offset
    )
    span = span_of(wanted, _table(files))
    # No row here says its unit: any may have the one that is asked for, which the first row alone does.
    rows = [(*row, place) for place, file in enumerate(files) for row in file]
    matching = [
        (time, place)
        for asset, sensor, time, place in (rows[:1] if "unit" in equal else rows)
        if equal.get("asset_id", asset) == asset
        and equal.get("sensor_id", sensor) == sensor
        and (start is None or time >= (start - _EPOCH) // timedelta(microseconds=1))
        and (end is None or time < (end - _EPOCH) // timedelta(microseconds=1))
    ]
    page = sorted(matching, reverse=newest)[: wanted.depth]
    assert all(span.start <= time <= span.end for time, _ in page)
    assert {place for _, place in page} <= set(span.files.tolist())


def _table(files: list[list[Row]]) -> pa.Table:
    """The files as a snapshot shows them: bounds rounded outwards where there is room, long text cut."""
    columns: dict[str, list[object]] = {
        "asset_id": [rows[0][0] for rows in files],
        "earliest": [min(time for _, _, time in rows) // 1000 * 1000 for rows in files],
        "latest": [min(-(-max(time for _, _, time in rows) // 1000) * 1000, _LAST) for rows in files],
        "rows": [len(rows) for rows in files],
        "lowest": [min(sensor for _, sensor, _ in rows)[:LONGEST_TEXT] for rows in files],
        "highest": [text_above(max(sensor for _, sensor, _ in rows)) for rows in files],
    }
    kinds = dict.fromkeys(columns, pa.string()) | dict.fromkeys(("earliest", "latest", "rows"), pa.int64())
    return pa.table(columns, schema=pa.schema(list(kinds.items())))


def _hundred_files() -> pa.Table:
    return _table([[("x", "ab"[n % 2], 1000 * n), ("x", "ab"[n % 2], 1000 * n + 500)] for n in range(100)])


def test_whole_files_of_the_newest_rows_narrow_it() -> None:
    span = span_of(RowsWanted(stream=READINGS, limit=3), _hundred_files())
    assert (span.start, span.files.tolist()) == (98_000, [97, 98, 99])


def test_whole_files_of_the_oldest_rows_narrow_it() -> None:
    span = span_of(RowsWanted(stream=READINGS, limit=3, newest=False), _hundred_files())
    assert (span.start, span.end, span.files.tolist()) == (0, 2000, [0, 1, 2])


def test_files_of_the_sensor_alone_narrow_it() -> None:
    wanted = RowsWanted(stream=READINGS, equal={"asset_id": "x", "sensor_id": "a"}, limit=3)
    span = span_of(wanted, _hundred_files())
    assert (span.start, span.end, span.files.tolist()) == (96_000, 99_000, [96, 98])


def test_rows_that_may_not_be_wanted_do_not_narrow_it() -> None:
    wanted = RowsWanted(stream=READINGS, equal={"unit": "V"}, limit=3)
    span = span_of(wanted, _hundred_files())
    assert (span.start, span.end, len(span.files)) == (0, 100_000, 100)


def test_no_file_overlaps() -> None:
    span = span_of(events_wanted(start=_EPOCH + timedelta(seconds=1)), _table([[("x", "a", 5)]]))
    assert span.start > span.end
    assert not len(span.files)

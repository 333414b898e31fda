"""The first rows out of pieces: the right ones, and no piece is opened that lies beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.lake.schema import row_schema
from shared.platform.errors import BadRequest
from shared.query.scan import Piece, TooHeavy, first_rows, matching
from shared.query.wanted import RowsWanted
from shared.streams.readings import READINGS
from tests.lake.rows import reading_rows

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE = row_schema(READINGS).empty_table()


@dataclass
class Rows:
    """Rows at `times`; the sequence number of each is its own. Notes in `opened` that it was."""

    wanted: RowsWanted
    times: Sequence[int]
    first: int
    opened: list[int] = field(default_factory=list)
    slack: int = 0
    weight: int = 10

    @property
    def rows(self) -> int:
        return len(self.times)

    @property
    def earliest(self) -> int:
        return min(self.times) - self.slack

    @property
    def latest(self) -> int:
        return max(self.times) + self.slack

    def open(self) -> pa.Table:
        self.opened.append(self.first)
        sensors = ["ab"[time % 2] for time in self.times]
        return matching(reading_rows(sensors, self.times, first=self.first), self.wanted)


@dataclass
class Parts:
    """A piece made of others."""

    pieces: Sequence[Rows]
    weight: int = 0

    @property
    def rows(self) -> int:
        return sum(piece.rows for piece in self.pieces)

    @property
    def earliest(self) -> int:
        return min(piece.earliest for piece in self.pieces)

    @property
    def latest(self) -> int:
        return max(piece.latest for piece in self.pieces)

    def open(self) -> Sequence[Piece]:
        return self.pieces


def at(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


_times = st.integers(0, 30)
_pieces = st.lists(st.lists(st.lists(_times, min_size=1, max_size=6), min_size=1, max_size=4), max_size=12)


@given(
    _pieces,
    st.lists(_times, max_size=5),
    st.none() | _times,
    st.none() | _times,
    st.sampled_from(["a", "b", None]),
    st.booleans(),
    st.integers(1, 12),
    st.integers(0, 2),
)
def test_the_first_rows_are_found(
    files: list[list[list[int]]],
    before: list[int],
    start: int | None,
    end: int | None,
    sensor: str | None,
    newest: bool,
    limit: int,
    slack: int,
) -> None:
    equal = {} if sensor is None else {"sensor_id": sensor}
    wanted = RowsWanted(
        stream=READINGS, equal=equal, start=at(start), end=at(end), newest=newest, limit=limit
    )
    opened: list[int] = []
    rows: dict[int, int] = {}
    pieces: list[Piece] = []
    for groups in files:
        parts = []
        for times in groups:
            parts.append(Rows(wanted, times, len(rows), opened, slack))
            rows |= {len(rows) + number: time for number, time in enumerate(times)}
        pieces.append(Parts(parts) if len(parts) > 1 else parts[0])
    found = _NONE
    if before:
        found = first_rows([Rows(wanted, before, len(rows))], wanted, _NONE)
        rows |= {len(rows) + number: time for number, time in enumerate(before)}
    page = first_rows(pieces, wanted, found)["_seq"].to_pylist()
    expected = [
        (time, seq)
        for seq, time in rows.items()
        if (start is None or time >= start)
        and (end is None or time < end)
        and (sensor is None or "ab"[time % 2] == sensor)
    ]
    assert page == [seq for _, seq in sorted(expected, reverse=newest)[:limit]]
    assert len(opened) == len(set(opened))


def test_pieces_beyond_the_page_stay_closed() -> None:
    wanted = RowsWanted(stream=READINGS, end=at(75), limit=3)
    opened: list[int] = []
    pieces = [Rows(wanted, range(time, time + 10), time, opened) for time in range(0, 100, 10)]
    assert first_rows([Parts(pieces)], wanted, _NONE)["_seq"].to_pylist() == [74, 73, 72]
    assert opened == [70]


def test_more_and_more_is_opened_where_less_is_in_it_than_expected() -> None:
    wanted = RowsWanted(stream=READINGS, equal={"sensor_id": "b"}, newest=False, limit=2)
    opened: list[int] = []
    pieces = [Rows(wanted, [time] * 9, time, opened) for time in [*range(0, 98, 2), 99]]
    assert first_rows(pieces, wanted, _NONE).num_rows == 2
    assert sorted(opened) == [piece.first for piece in pieces]


def test_what_is_too_heavy_is_not_opened() -> None:
    wanted = RowsWanted(stream=READINGS, limit=5)
    opened: list[int] = []
    pieces = [Rows(wanted, [time], time, opened) for time in range(5)]
    assert first_rows(pieces, wanted, _NONE, 50).num_rows == 5
    opened.clear()
    with pytest.raises(TooHeavy):
        first_rows(pieces, wanted, _NONE, 49)
    assert opened == []


def test_what_holds_more_than_is_allowed_is_refused() -> None:
    wanted = RowsWanted(stream=READINGS, limit=9, most_bytes=200)
    assert first_rows([Rows(wanted, [1], 0)], wanted, _NONE).num_rows == 1
    with pytest.raises(BadRequest, match="more than 200 bytes"):
        first_rows([Rows(wanted, range(5), 0)], wanted, _NONE)

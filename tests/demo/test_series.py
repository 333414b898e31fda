"""Which readings the demo replays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devstack.demo.series import Reading, SeriesError, generate_series, newest, read_series

END = datetime(2026, 1, 1, 12, tzinfo=UTC)


def series(name: str, last: datetime, count: int) -> list[Reading]:
    """`count` readings, a minute apart, the last at `last`."""
    return [Reading(last - timedelta(minutes=back), name, float(back)) for back in reversed(range(count))]


def test_reads_every_csv_below_a_folder_with_naive_times_as_utc(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "warmth.csv").write_text("timestamp,value\n2014-02-14 14:30:00,0.132\n")
    (tmp_path / "notes.md").write_text("no series")
    moment = datetime(2014, 2, 14, 14, 30, tzinfo=UTC)
    assert read_series(tmp_path) == [[Reading(moment, "room/warmth", 0.132)]]


def test_no_folder_gives_no_series(tmp_path: Path) -> None:
    assert read_series(tmp_path / "missing") == []


def test_an_empty_series_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("timestamp,value\n")
    assert read_series(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["time,value\n1,2\n", "timestamp,value\nnow,1\n", "timestamp,value\n2014-01-01\n"]
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.csv").write_text(text)
    with pytest.raises(SeriesError, match=r"odd\.csv is no series"):
        read_series(tmp_path)


def test_generated_series_are_the_same_at_every_call_and_end_at_the_given_time() -> None:
    made = generate_series(240, END)
    assert made == generate_series(240, END)
    assert sum(map(len, made)) == 240
    assert {one[-1].time for one in made} == {END}


def test_newest_shifts_each_series_to_end_together() -> None:
    old = series("old", datetime(2013, 5, 1, tzinfo=UTC), 5)
    older = series("older", datetime(2011, 5, 1, tzinfo=UTC), 5)
    chosen = newest([old, older], 4, END)
    assert [(one.time, one.series) for one in chosen] == [
        (END - timedelta(minutes=1), "old"),
        (END - timedelta(minutes=1), "older"),
        (END, "old"),
        (END, "older"),
    ]


def test_newest_with_original_times_takes_the_same_readings() -> None:
    two = [series("a", datetime(2013, 5, 1, tzinfo=UTC), 5), series("b", datetime(2011, 5, 1, tzinfo=UTC), 5)]
    shifted, original = newest(two, 6, END), newest(two, 6, None)
    assert sorted((r.series, r.value) for r in shifted) == sorted((r.series, r.value) for r in original)
    assert original[0].time == datetime(2011, 4, 30, 23, 58, tzinfo=UTC)


def test_newest_takes_all_there_are_when_more_are_asked_for() -> None:
    assert len(newest([series("a", END, 3)], 100, END)) == 3

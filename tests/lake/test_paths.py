"""Names of keys and files as segments of paths."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.lake.paths import LONGEST_SEGMENT, file_stem, final_path, hour_folder, name_of, path_segment

LONG = "pump " * 200


@pytest.mark.parametrize(
    ("name", "segment"),
    [
        ("transaction", "transaction"),
        ("asset_001", "asset_001"),
        ("pump-2", "pump-2"),
        ("a b/c%", "a~20b~2Fc~25"),
        ("a~b", "a~7Eb"),
        ("..", "~2E~2E"),
        (".", "~2E"),
        (".hidden", "~2Ehidden"),
        ("ends.", "ends~2E"),
        ("a..b", "a..b"),
        ("_delta_log", "~5Fdelta_log"),
        ("raw", "~72aw"),
        ("rawer", "rawer"),
        ("é", "~C3~A9"),
        ("🎉", "~F0~9F~8E~89"),
        ("\x00\n", "~00~0A"),
        ("", "~"),
    ],
)
def test_names_as_path_segments(name: str, segment: str) -> None:
    assert path_segment(name) == segment
    assert name_of(segment) == name


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("sensor_001", "sensor_001"),
        ("sensor-2", "sensor~2D2"),
        ("sensor-10", "sensor~2D10"),
        ("sensor-1", "sensor-1"),  # no further file has this number
        ("sensor-01", "sensor-01"),
        ("sensor-02", "sensor-02"),
        ("sensor-2a", "sensor-2a"),
        ("-2", "~2D2"),
    ],
)
def test_names_as_file_stems(name: str, stem: str) -> None:
    assert file_stem(name) == stem
    assert name_of(stem) == name


def test_long_names_are_cut_and_told_apart() -> None:
    segments = {path_segment(LONG + end) for end in ("a", "b", "")}
    assert len(segments) == 3
    for segment in segments:
        assert len(segment) <= LONGEST_SEGMENT
        assert segment.startswith("pump~20pump~20")
        assert name_of(segment) is None


NAMES = st.text(min_size=0) | st.text("-_.~%/0123456789ab", max_size=12) | st.text(min_size=150, max_size=400)


@given(NAMES, NAMES, st.integers(1, 30), st.integers(1, 30))
@example("x", "x-2", 2, 1)
@example("raw", "~72aw", 1, 1)
@example(LONG, path_segment(LONG), 1, 1)
@example("a" * 199 + "-2", "a" * 199 + "-2", 1, 2)
def test_no_two_names_or_numbers_share_a_path(one: str, other: str, first: int, second: int) -> None:
    pairs = {(one, first), (other, second)}
    assert len({path_segment(name) for name, _ in pairs}) == len({one, other})
    assert len({final_path("f/", file_stem(name), number) for name, number in pairs}) == len(pairs)


@given(NAMES)
@example(LONG)
@example("a" * 200)
@example("a" * 165 + "é" * 30)
def test_segments_are_harmless_and_tell_their_names(name: str) -> None:
    for segment in (path_segment(name), file_stem(name)):
        assert segment
        assert set(segment) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        assert len(segment) <= LONGEST_SEGMENT
        assert segment[0] not in "._"
        assert segment[-1] != "."
        assert segment != "raw"
        assert name_of(segment) in (name, None)
        if len(name.encode()) * 3 <= LONGEST_SEGMENT - 2:
            assert name_of(segment) == name


def test_folders_and_paths() -> None:
    folder = hour_folder("a/b", datetime(2025, 9, 30, 7, tzinfo=UTC))
    assert folder == "a~2Fb/2025/09/30/07/"
    assert final_path(folder, "s", 1) == "a~2Fb/2025/09/30/07/s.parquet"
    assert final_path(folder, "s", 12) == "a~2Fb/2025/09/30/07/s-12.parquet"

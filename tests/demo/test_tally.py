"""What the counts say."""

from __future__ import annotations

import pytest

from devstack.demo.tally import STATIONS, Tally, verdict


def test_equal_counts_agree() -> None:
    assert verdict(Tally(5, 5, 5, 5, 5, 5)).startswith("The numbers agree: 5 events")


@pytest.mark.parametrize("station", STATIONS)
def test_the_count_that_differs_is_named(station: str) -> None:
    tally = Tally(5, 5, 5, 5, 5, 5)
    setattr(tally, station, 3)
    assert verdict(tally) == f"The numbers do not agree:\n  {station}: 3 of 5, 2 too few"
    setattr(tally, station, 1006)
    assert verdict(tally) == f"The numbers do not agree:\n  {station}: 1,006 of 5, 1,001 too many"


def test_a_fault_that_no_count_shows_is_told() -> None:
    assert "came back changed" in verdict(Tally(1, 1, 1, 1, 1, 1, faults=["one came back changed"]))

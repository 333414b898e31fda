"""Regions are counted apart up to a number; all others together, whatever comes in whichever order."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from shared.rollups.partials import roll_up
from shared.rollups.regions import LONGEST_NAME, Regions
from shared.streams.rollups import OTHER
from tests.rollups.world import END, START, RollupWorld, events, reader


def counted(rollups: pa.Table) -> Counter[str | None]:
    found: Counter[str | None] = Counter()
    for row in rollups.select(["region", "count"]).to_pylist():
        found[row["region"]] += row["count"]
    return found


def test_the_first_keep_their_names() -> None:
    world = RollupWorld(regions=2)
    world.land(events(0, range(9), regions=("b", "a", "c", None, "d", "b")))
    expected = {"b": 3, "a": 2, OTHER: 3, None: 1}
    assert counted(world.rollups.minutes(START, END)) == expected, "landed"
    world.flusher().flush_all()
    assert counted(world.rollups.minutes(START, END)) == expected, "committed"
    world.land(events(9, range(4), regions=("d", "a", "e")))
    expected = {"b": 3, "a": 3, OTHER: 6, None: 1}
    for rollups in (world.rollups, reader(world.blobs, world.lake, regions=2)):
        assert counted(rollups.minutes(START, END)) == expected
    world.flusher().flush_all()
    assert counted(world.rollups.minutes(START, END)) == expected


def test_each_type_has_its_own() -> None:
    world = RollupWorld(regions=1)
    world.land(events(0, range(2), regions=("a", "b")))
    world.land(events(0, range(2), regions=("b", "c"), event_type="error"))
    world.flusher().flush_all()
    assert counted(world.rollups.minutes(START, END)) == {"a": 1, "b": 1, OTHER: 2}


def test_what_a_client_can_do_with_them_is_bounded() -> None:
    world = RollupWorld(regions=3)
    for batch in range(5):
        names = [f"made-up-{batch}-{number}" for number in range(40)]
        world.land(events(40 * batch, [0.0] * 40, regions=names))
        world.flusher().flush_all()
    minutes = world.rollups.minutes(START, END)
    assert minutes.num_rows == 4
    assert counted(minutes)[OTHER] == 200 - sum(n for name, n in counted(minutes).items() if name != OTHER)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("x" * LONGEST_NAME, True), ("x" * (LONGEST_NAME + 1), False), (OTHER, True), ("", True), ("é ☃", True)],
)
def test_names(name: str, kept: bool) -> None:
    regions = Regions(10)
    partials = roll_up(events(0, [0], regions=(name,)))
    regions.admit(partials)
    assert regions.named(partials)["region"].to_pylist() == [name if kept else OTHER]


def test_the_order_within_a_minute_is_that_of_the_alphabet() -> None:
    """So two instances that read the same segments in another order agree."""
    one, other = Regions(2), Regions(2)
    partials = roll_up(events(0, [0, 1, 2, 70], regions=("c", "b", "z", "a")))
    one.admit(partials)
    other.admit(partials.take([3, 1, 0, 2]))
    assert one.names() == other.names() == {"transaction": ["b", "c"]}

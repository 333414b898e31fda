"""What is told of a table: its buffer, its newest commit, its dead letters."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.dashboard.tables import age_in_seconds, made_at, table_facts
from shared.dead_letters.standing import standing
from shared.lake.segments import SegmentStore
from shared.query.history import History
from shared.streams.events import EVENTS
from tests.dead_letters.test_browse import LetterLake
from tests.dead_letters.world import HOUR, TAKEN
from tests.lake.rows import NOON, land
from tests.lake.world import World
from tests.place import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_nothing_yet() -> None:
    world = World()
    facts = table_facts(EVENTS, world.segments, world.lake)
    assert (facts.buffered_rows, facts.buffered_since, facts.version) == (0, None, -1)
    assert facts.last_commit is None


def test_what_is_landed_is_buffered_until_it_is_committed() -> None:
    world = World()
    land(world.segments, range(5))
    land(world.segments, range(5, 12))
    facts = table_facts(EVENTS, world.segments, world.lake)
    assert facts.buffered_rows == 12
    # The first segment is there since its last message came.
    assert facts.buffered_since == EPOCH + timedelta(microseconds=NOON + 4)
    world.flusher().flush_all()
    land(world.segments, range(12, 14))
    facts = table_facts(EVENTS, world.segments, world.lake)
    assert (facts.buffered_rows, facts.version) == (2, 0)
    last = facts.last_commit
    assert last is not None
    assert (last.version, last.kind, last.rows) == (0, "flush", 12)
    assert made_at(last) == world.clock()


def test_segments_that_a_commit_covers_are_not_buffered() -> None:
    world = World()
    land(world.segments, range(5))
    world.flusher().flush_all()
    land(world.segments, range(5))  # delivered again
    assert table_facts(EVENTS, world.segments, world.lake).buffered_rows == 0


def test_an_age_is_never_negative() -> None:
    def clock() -> datetime:
        return EPOCH + timedelta(seconds=100)

    assert age_in_seconds(EPOCH + timedelta(seconds=40), clock) == 60
    assert age_in_seconds(EPOCH + timedelta(seconds=101), clock) == 0
    assert age_in_seconds(None, clock) is None


@pytest.fixture(scope="module")
def letters(storage_connection_string: str) -> tuple[Place, LetterLake]:
    """Letters, half of them committed, over several hours."""
    place = Place(storage_connection_string, f"d{uuid.uuid4().hex[:10]}").make()
    return place, LetterLake(place)


# Before them all, within committed ones, within those in the buffer, between both, and after them all.
@pytest.mark.parametrize("thirds", [-3, 0, 1, 3, 4, 6, 7, 11, 300])
def test_dead_letters_are_counted_wherever_they_stand(letters: tuple[Place, LetterLake], thirds: int) -> None:
    place, lake = letters
    after = thirds * HOUR // 3
    segments = SegmentStore(place.blobs())
    since = EPOCH + timedelta(microseconds=TAKEN + after)
    found = standing(History(segments, place.lake(), place.blobs()), segments, since)
    assert found.total == Counter(key.topic for key, _, _ in lake.keys)
    assert found.recent == Counter(key.topic for key, _, _ in lake.keys if key.taken >= TAKEN + after)

"""The notice board: notices stand for a while, generations are told once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.health.board import NoticeBoard
from shared.ingest.ports import Generations
from shared.streams.models import SYSTEM_CONTAINER
from tests.fakes import ManualClock, MemoryBlobs, MemoryGenerations, MemoryNotices
from tests.place import Place


@pytest.fixture(params=["memory", "storage"])
def board_blobs(request: pytest.FixtureRequest) -> Any:
    """What boards stand on."""
    if request.param == "memory":
        return MemoryBlobs()
    place: Place = request.getfixturevalue("fresh_place")
    return place.blobs()


@pytest.fixture(params=["fake", "real"])
def generations(request: pytest.FixtureRequest) -> Generations:
    if request.param == "fake":
        return MemoryGenerations()
    return NoticeBoard(MemoryBlobs(), ManualClock())


def test_a_generation_is_told_once(generations: Generations) -> None:
    told = [generations.seen("a", name) for name in ("g1", "g1", "g2", "g2")]
    assert told == [None, None, "g1", None]
    assert generations.seen("b", "g9") is None


def test_generations_are_known_to_other_processes(board_blobs: Any) -> None:
    assert NoticeBoard(board_blobs, ManualClock()).seen("events.a/ü", "g1") is None
    assert NoticeBoard(board_blobs, ManualClock()).seen("events.a/ü", "g2") == "g1"


def test_notices_stand_until_they_are_old(board_blobs: Any) -> None:
    clock = ManualClock()
    board, reader = NoticeBoard(board_blobs, clock), NoticeBoard(board_blobs, clock)
    assert reader.standing() == []
    board.post("bad_batch", "events.a", "3 of 4")
    board.post("hub_made_anew", "events.a", "anew")
    begun = clock.now
    assert [(n.kind, n.subject, n.message, n.since, n.severity) for n in reader.standing()] == [
        ("bad_batch", "events.a", "3 of 4", begun, "warning"),
        ("hub_made_anew", "events.a", "anew", begun, "info"),
    ]
    clock.advance(minutes=4)
    board.post("bad_batch", "events.a", "5 of 6")
    clock.advance(minutes=4)
    [bad, _] = reader.standing()
    assert (bad.message, bad.since) == ("5 of 6", begun)
    clock.advance(minutes=1)
    assert [notice.kind for notice in reader.standing()] == ["hub_made_anew"]
    board.post("bad_batch", "events.a", "again")
    assert [notice.since for notice in reader.standing() if notice.kind == "bad_batch"] == [clock.now]
    clock.advance(hours=24)
    assert reader.standing() == []


def test_a_stream_of_bad_batches_writes_seldom() -> None:
    clock, blobs = ManualClock(), MemoryBlobs()
    board = NoticeBoard(blobs, clock)
    for number in range(5):
        board.post("bad_batch", "a", f"{number}")
        clock.advance(seconds=3)
    [notice] = board.standing()
    assert notice.message == "4"
    assert clock.now - notice.since == timedelta(seconds=15)


@pytest.mark.parametrize("content", [b"", b"{}", b"garbage"])
def test_a_spoiled_note_does_not_hide_the_others(content: bytes) -> None:
    blobs = MemoryBlobs()
    board = NoticeBoard(blobs, ManualClock())
    board.post("bad_batch", "a", "1 of 2")
    blobs.put_blocking(SYSTEM_CONTAINER, "notices/bad_batch/spoiled.json", content)
    assert [notice.subject for notice in board.standing()] == ["a"]


def test_the_fake_remembers_what_was_posted() -> None:
    notices = MemoryNotices()
    notices.post("bad_batch", "a", "1 of 2")
    assert notices.posted == [("bad_batch", "a", "1 of 2")]

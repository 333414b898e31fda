"""Summaries that are kept beside the log: who goes on from them, and what if they are not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from shared.lake import table_log
from shared.lake.summary import Share
from shared.platform.errors import StorageUnavailable
from shared.streams.events import EVENTS
from tests.contracts.test_lake import A, B
from tests.lake.summaries import LOG, commit_many, delta_rs, every_fourth, kept_names, lake_of, place
from tests.place import Place, PlacedBlobs

__all__ = ["every_fourth", "place"]


def cut_log(place: Place, before: int) -> None:
    """Takes the entries below `before` away, as the clean-up of the log does."""
    delta_rs(place).create_checkpoint()
    place.blobs().delete(EVENTS.container, [f"{LOG}{version:020}.json" for version in range(before)])


def test_a_summary_goes_on_where_the_log_was_cut(place: Place) -> None:
    """Whoever starts anew reads the kept summary and the entries after it; nothing is lost."""
    commit_many(place, 6)
    before = lake_of(place).table(EVENTS).summary()
    covered = lake_of(place).table(EVENTS).cover()
    assert covered == before.version == 6
    cut_log(place, covered)
    commit_many(place, 3, first=6)
    found = lake_of(place).table(EVENTS).summary()
    assert (found.files, found.messages, found.progress) == (9, {"a": 9}, {A: 8})
    assert found.whole
    assert lake_of(place).table(EVENTS).snapshot([A, B]).progress(B) == -1


def test_few_entries_are_read_by_whoever_starts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    commit_many(place, 20)
    assert kept_names(place) == [f"{table_log.FOLDER}{version:020}.json" for version in (11, 15, 19)]
    read: list[str] = []
    get = PlacedBlobs.get

    def counted(self: PlacedBlobs, container: str, name: str) -> bytes:
        read.append(name)
        return get(self, container, name)

    monkeypatch.setattr(PlacedBlobs, "get", counted)
    table = lake_of(place).table(EVENTS)
    assert table.summary().files == 20
    assert len(read) < 8
    read.clear()
    assert table.summary().files == 20
    assert read == [f"{LOG}{21:020}.json"]


def test_without_log_and_summary_the_table_itself_is_counted(place: Place) -> None:
    """Files and progress are right; totals begin anew, and go on from there."""
    commit_many(place, 6)
    cut_log(place, 6)
    place.blobs().delete(EVENTS.container, kept_names(place))
    lake = lake_of(place)
    found = lake.table(EVENTS).summary([A, B])
    assert (found.version, found.files, found.keys) == (6, 6, {"transaction": Share(6, found.bytes)})
    assert (found.messages, found.whole, found.progress) == ({}, False, {A: 5, B: -1})
    assert lake.table(EVENTS).snapshot([A, B]).progress(A) == 5
    commit_many(place, 2, lake, first=6)
    again = lake_of(place).table(EVENTS).summary([A])
    assert (again.files, again.messages, again.progress[A]) == (8, {"a": 2}, 7)


def test_totals_go_on_from_the_newest_summary_where_entries_were_lost(place: Place) -> None:
    commit_many(place, 10)
    cut_log(place, 9)
    found = lake_of(place).table(EVENTS).summary([A])
    assert (found.version, found.files, found.progress[A]) == (10, 10, 9)
    assert found.messages == {"a": 7}


def test_a_broken_summary_is_passed_over(place: Place) -> None:
    commit_many(place, 10)
    newest = kept_names(place)[-1]
    for broken in (b"", b"{", b"\xff", json.dumps({"form": 0, "entry": "", "summary": {}}).encode()):
        place.blobs().put_blocking(EVENTS.container, newest, broken)
        found = lake_of(place).table(EVENTS).summary()
        assert (found.files, found.messages) == (10, {"a": 10})


def test_a_table_made_anew_knows_nothing_of_the_one_before(place: Place) -> None:
    """Its progress above all: else new rows would pass for old ones."""
    commit_many(place, 10)
    blobs = place.blobs()
    blobs.delete(EVENTS.container, [info.name for info in blobs.list(EVENTS.container, LOG)])
    assert kept_names(place)
    lake = lake_of(place)
    assert lake.table(EVENTS).snapshot([A]).progress(A) == -1
    assert lake.table(EVENTS).summary().version == -1
    commit_many(place, 9, lake)
    found = lake_of(place).table(EVENTS).summary()
    assert (found.files, found.messages, found.progress) == (9, {"a": 9}, {A: 8})


def test_what_others_do_to_the_table_is_counted(place: Place) -> None:
    """They need not say the size of what they take out, and may add a file again that is there already."""
    lake = lake_of(place)
    commit_many(place, 3, lake)
    [entry], [last] = (blobs_entry(place, version, "add") for version in (2, 3))
    write_entry(place, 4, [{"remove": {"path": entry["path"], "dataChange": True, "deletionTimestamp": 1}}])
    assert lake.table(EVENTS).summary().files == 2
    write_entry(place, 5, [{"add": {**last, "dataChange": False}}])
    for table in (lake.table(EVENTS), lake_of(place).table(EVENTS)):
        found = table.summary()
        assert (found.version, found.files, found.bytes) == (5, 2, files_bytes(place))
        assert (found.messages, found.keys) == ({"a": 3}, {"transaction": Share(2, found.bytes)})


def blobs_entry(place: Place, version: int, kind: str) -> list[dict[str, Any]]:
    lines = place.blobs().get(EVENTS.container, f"{LOG}{version:020}.json").splitlines()
    return [action[kind] for line in lines if kind in (action := json.loads(line))]


def write_entry(place: Place, version: int, actions: Sequence[dict[str, Any]]) -> None:
    lines = [json.dumps(action) for action in ({"commitInfo": {"timestamp": 1}}, *actions)]
    place.blobs().put_blocking(EVENTS.container, f"{LOG}{version:020}.json", "\n".join(lines).encode())


def files_bytes(place: Place) -> int:
    return int(sum(delta_rs(place).get_add_actions()["size_bytes"].to_pylist()))


def test_too_many_keys_are_left_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_log, "MAX_BYTES", 300)
    lake = lake_of(place)
    commit_many(place, 5, lake)
    for found in (lake.table(EVENTS).summary(), lake_of(place).table(EVENTS).summary()):
        assert (found.keys, found.files) == (None, 5)


def test_storage_that_keeps_no_summary_stops_nothing(place: Place) -> None:
    class Refusing(PlacedBlobs):
        def put_blocking(self, container: str, name: str, data: bytes) -> None:
            raise StorageUnavailable("full")

    lake = lake_of(place, Refusing(place))
    commit_many(place, 5, lake)
    assert lake.table(EVENTS).summary().files == 5
    assert lake.table(EVENTS).cover() == -1
    assert kept_names(place) == []


def test_a_vacuum_of_others_leaves_the_summary(place: Place) -> None:
    commit_many(place, 5)
    kept = kept_names(place)
    assert kept
    table = delta_rs(place)
    for full in (False, True):
        doomed = table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=full)
        assert not [name for name in doomed if "_floe" in name]
    assert kept_names(place) == kept

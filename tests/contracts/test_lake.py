"""The lake: versions, progress, conflicts, and snapshots that stay what they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
import pytest

from shared.lake.data_files import cut_files
from shared.lake.ports import REMOVALS, CommitConflict, DataFile, Lake, RemovedFile
from shared.lake.summary import Share
from shared.platform.clock import utc_now
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.lake.rows import NOON, event_rows, reading_rows

A, B = "events.transaction/0/g1", "events.transaction/1/g1"

type NewLake = Callable[[], Lake]


def files(name: str, first: int = 0, count: int = 3) -> list[DataFile]:
    """The entry of one file that nobody reads."""
    rows = event_rows([(seq, 0) for seq in range(first, first + count)])
    return [file.entry for file in cut_files(EVENTS, pa.Table.from_batches([rows]), name)]


def test_a_table_that_does_not_exist_yet_is_empty(new_lake: NewLake) -> None:
    snapshot = new_lake().table(EVENTS).snapshot([A])
    assert snapshot.progress(A) == -1
    found = snapshot.files()
    assert found.num_rows == 0
    assert found.schema.names == ["path", "size", "rows", "earliest", "latest", "event_type", "date", "hour"]


def test_a_commit_adds_files_and_sets_progress(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    before = table.snapshot([A, B])
    [entry] = files("one")
    after = table.commit(before, [entry], {A: 2})
    assert after.progress(A) == 2
    assert after.version > before.version
    assert before.progress(A) == -1
    assert before.files().num_rows == 0
    again = table.snapshot([A, B])
    assert (again.version, again.progress(A), again.progress(B)) == (after.version, 2, -1)
    assert again.files().to_pylist() == [
        {
            "path": entry.path,
            "size": entry.size,
            "rows": 3,
            "earliest": NOON,
            "latest": NOON + 2_000_000,
            "event_type": "transaction",
            "date": "2025-09-30",
            "hour": "12",
        }
    ]


def test_files_of_a_stream_with_a_file_column_say_its_bounds(new_lake: NewLake) -> None:
    table = new_lake().table(READINGS)
    assert table.snapshot().files().schema.names[-2:] == ["lowest", "highest"]
    endless = "\U0010ffff" * 1100  # no short text is above it
    rows = pa.Table.from_batches([reading_rows(["b", "a'", endless], [NOON] * 3)])
    entries = [file.entry for file in cut_files(READINGS, rows, "one")]
    found = table.commit(table.snapshot(), entries, {A: 2}).files()
    assert {row["asset_id"] for row in found.to_pylist()} == {"plant"}
    assert sorted(zip(found["lowest"].to_pylist(), found["highest"].to_pylist(), strict=True)) == [
        ("a'", "a'"),
        ("b", "b"),
        (endless[:1024], None),
    ]


def test_progress_is_followed_over_many_commits(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    snapshot = table.snapshot([A])
    for number in range(5):
        snapshot = table.commit(snapshot, files(f"n{number}", number * 3), {A: number * 3 + 2})
        assert snapshot.progress(A) == number * 3 + 2
    assert table.snapshot([A]).progress(A) == 14
    assert new_lake().table(EVENTS).snapshot([A]).progress(A) == 14
    assert new_lake().table(EVENTS).snapshot().files().num_rows == 5


def test_a_commit_of_several_sources(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    after = table.commit(table.snapshot([A, B]), files("one"), {A: 5, B: 7})
    assert (after.progress(A), after.progress(B)) == (5, 7)


def test_another_processs_commits_are_seen(new_lake: NewLake) -> None:
    mine, other = new_lake().table(EVENTS), new_lake().table(EVENTS)
    mine.commit(mine.snapshot([A]), files("one"), {A: 2})
    assert other.snapshot([A]).progress(A) == 2
    other.commit(other.snapshot([A]), files("two", 3), {A: 5})
    other.commit(other.snapshot([B]), files("three"), {B: 2})
    found = mine.snapshot([A, B])
    assert (found.progress(A), found.progress(B), found.files().num_rows) == (5, 2, 3)
    mine.commit(found, files("four", 6), {A: 8})
    assert other.snapshot([A]).progress(A) == 8


def test_two_writers_of_the_same_progress_conflict(new_lake: NewLake) -> None:
    """The second commits nothing, and goes on from the first's version."""
    first, second = new_lake().table(EVENTS), new_lake().table(EVENTS)
    first.commit(first.snapshot([A]), files("zero"), {A: 2})
    bases = first.snapshot([A]), second.snapshot([A])
    first.commit(bases[0], files("one", 3), {A: 5})
    with pytest.raises(CommitConflict):
        second.commit(bases[1], files("two", 3), {A: 8})
    found = second.snapshot([A])
    assert (found.progress(A), found.files().num_rows) == (5, 2)
    assert second.commit(found, files("three", 6), {A: 8}).progress(A) == 8
    assert first.snapshot([A]).progress(A) == 8


def test_two_writers_of_a_new_table_conflict(new_lake: NewLake) -> None:
    first, second = new_lake().table(EVENTS), new_lake().table(EVENTS)
    bases = first.snapshot([A]), second.snapshot([A])
    first.commit(bases[0], files("one"), {A: 2})
    with pytest.raises(CommitConflict):
        second.commit(bases[1], files("two"), {A: 2})
    found = second.snapshot([A])
    assert (found.progress(A), found.files().num_rows) == (2, 1)


def test_a_snapshot_stays_while_the_table_moves_on(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    old = table.commit(table.snapshot([A]), files("one"), {A: 2})
    new = table.commit(old, files("two", 3), {A: 5})
    assert (old.progress(A), old.files()["rows"].to_pylist()) == (2, [3])
    assert (new.progress(A), new.files().num_rows) == (5, 2)


def removed(file: DataFile) -> RemovedFile:
    """`file`, to be taken out."""
    return RemovedFile(file.path, file.size, file.partition)


def test_a_commit_takes_files_out_as_it_adds_others(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    [one], [two] = files("one"), files("two", 3)
    old = table.commit(table.snapshot(), [one, two], {A: 5})
    [merged] = files("merged", 0, 6)
    new = table.commit(old, [merged], {}, removed=[removed(one), removed(two)], rearranged=True)
    assert new.files()["path"].to_pylist() == [merged.path]
    assert sorted(old.files()["path"].to_pylist()) == sorted([one.path, two.path])
    assert new_lake().table(EVENTS).snapshot([A]).progress(A) == 5


@pytest.mark.parametrize("rearranged", [True, False])
def test_two_that_take_out_the_same_file_conflict(new_lake: NewLake, rearranged: bool) -> None:
    first, second = new_lake().table(EVENTS), new_lake().table(EVENTS)
    [one] = files("one")
    first.commit(first.snapshot(), [one], {A: 2})
    bases = first.snapshot(), second.snapshot()
    first.commit(bases[0], files("merged"), {}, removed=[removed(one)], rearranged=rearranged)
    with pytest.raises(CommitConflict):
        second.commit(bases[1], files("merged-too"), {}, removed=[removed(one)], rearranged=rearranged)
    [path] = second.snapshot().files()["path"].to_pylist()
    assert path.endswith("/merged.parquet")


def test_taking_out_conflicts_with_no_append(new_lake: NewLake) -> None:
    """A flush goes on while files are merged, and the merge while it flushes."""
    first, second = new_lake().table(EVENTS), new_lake().table(EVENTS)
    [one] = files("one")
    first.commit(first.snapshot(), [one], {A: 2})
    bases = first.snapshot([A]), second.snapshot()
    first.commit(bases[0], files("two", 3), {A: 5})
    second.commit(bases[1], files("merged"), {}, removed=[removed(one)], rearranged=True)
    found = first.snapshot([A])
    assert sorted(path.split("/")[-1] for path in found.files()["path"].to_pylist()) == [
        "merged.parquet",
        "two.parquet",
    ]
    assert found.progress(A) == 5


def test_the_log_tells_what_was_taken_out(new_lake: NewLake) -> None:
    """Of any name, in any range of versions, by whichever handle."""
    table = new_lake().table(EVENTS)
    odd = "raw/a b%2F~20é/x.parquet"
    [one], [two] = files("one"), files("two", 3)
    two = DataFile(odd, two.size, two.rows, two.partition, two.statistics)
    first = table.commit(table.snapshot(), [one, two], {A: 5})
    second = table.commit(first, files("merged", 0, 3), {}, removed=[removed(one)], rearranged=True)
    third = table.commit(second, files("more", 6), {A: 8})
    fourth = table.commit(third, (), {}, removed=[removed(two)])
    other = new_lake().table(EVENTS)
    found = list(other.removals(-1, fourth.version))
    assert [(entry.version, [(f.name, f.size) for f in entry.files]) for entry in found] == [
        (second.version, [(one.path, one.size)]),
        (fourth.version, [(two.path, two.size)]),
    ]
    assert all(abs(entry.at - utc_now()) < timedelta(hours=1) for entry in found)
    assert [e.version for e in other.removals(second.version, third.version)] == []
    assert [e.version for e in other.removals(first.version, second.version)] == [second.version]
    assert [e.version for e in other.removals(third.version, fourth.version)] == [fourth.version]


def test_trimming_changes_nothing_that_is_read(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    table.trim(timedelta(hours=1))  # there is none yet
    before = table.commit(table.snapshot([A]), files("one"), {A: 2})
    for _ in range(2):
        table.trim(timedelta(hours=2))
        after = new_lake().table(EVENTS).snapshot([A])
        assert after.files().to_pylist() == before.files().to_pylist()
        assert after.progress(A) == 2
    assert table.commit(table.snapshot([A]), files("two", 3), {A: 5}).progress(A) == 5


def test_a_commit_of_progress_alone(new_lake: NewLake) -> None:
    """A fence: whoever takes files out on an older version is refused."""
    first, second = new_lake().table(EVENTS), new_lake().table(EVENTS)
    [one] = files("one")
    first.commit(first.snapshot(), [one], {A: 2})
    bases = first.snapshot(), second.snapshot()
    first.commit(bases[0], (), {REMOVALS: bases[0].version + 1})
    with pytest.raises(CommitConflict):
        second.commit(bases[1], files("two"), {}, removed=[removed(one)], rearranged=True)


def test_a_summary_adds_up_files_and_notes(new_lake: NewLake) -> None:
    """By key, and by what the commits were for; the same for whoever asks, and it stays what it was."""
    lake = new_lake()
    table = lake.table(EVENTS)
    assert (table.summary().version, table.summary().files, table.summary().keys) == (-1, 0, {})
    [one], [two] = files("one"), files("two", 3)
    brought = {"kind": "flush", "rows": 3, "messages": {"a": 2}, "last_message": 70}
    snapshot = table.commit(table.snapshot(), [one], {A: 2}, notes=brought)
    early = table.summary()
    later = {"kind": "flush", "rows": 3, "messages": {"a": 1, "b": 3}, "alone": {"b": 2}, "last_message": 60}
    snapshot = table.commit(snapshot, [two], {A: 5, B: 7}, notes=later)
    [merged] = files("merged", 0, 6)
    table.commit(
        snapshot,
        [merged],
        {},
        removed=[removed(one), removed(two)],
        rearranged=True,
        notes={"kind": "upload", "rows": 6, "bytes": merged.size},
    )
    for found in (table.summary(), lake.table(EVENTS).summary(), new_lake().table(EVENTS).summary()):
        assert (found.files, found.bytes) == (1, merged.size)
        assert found.keys == {"transaction": Share(1, merged.size)}
        assert found.done == {
            "flush": {"commits": 2, "rows": 6},
            "upload": {"commits": 1, "rows": 6, "bytes": merged.size},
        }
        assert (found.messages, found.alone, found.last_message) == ({"a": 3, "b": 3}, {"b": 2}, 70)
        assert (found.progress[A], found.progress[B]) == (5, 7)
        assert found.version == table.snapshot().version
        last = found.last_commit
        assert last is not None
        assert (last.version, last.kind, last.rows) == (found.version, "upload", 6)
        assert last.at is not None
        assert abs(last.at / 1000 - time.time()) < 600
    assert early.last_commit is not None
    assert (early.last_commit.kind, early.last_commit.rows) == ("flush", 3)
    assert (early.files, early.bytes, early.messages) == (1, one.size, {"a": 2})


def test_a_summary_of_a_table_that_was_emptied(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    [one] = files("one")
    snapshot = table.commit(table.snapshot(), [one], {A: 2})
    table.commit(snapshot, [], {}, removed=[removed(one)])
    found = new_lake().table(EVENTS).summary()
    assert (found.files, found.bytes, found.keys, found.done) == (0, 0, {}, {})
    assert found.last_commit is None  # none of the commits said what it was for


def test_what_is_covered_reaches_to_the_newest_version(new_lake: NewLake) -> None:
    table = new_lake().table(EVENTS)
    assert table.cover() == -1
    snapshot = table.commit(table.snapshot(), files("one"), {A: 2})
    assert table.cover() == snapshot.version == new_lake().table(EVENTS).cover()


# --- what needs DataFusion, on the real lake only -----------------------------------------------------------

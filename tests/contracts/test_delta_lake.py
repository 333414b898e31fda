"""What only the real tables can show: queries, their log, writers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from shared.adapters.delta_lake import DeltaLake
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.data_files import cut_files
from shared.lake.ports import CommitConflict, Lake
from shared.streams.events import EVENTS
from tests.contracts.test_lake import A, files, removed
from tests.lake.rows import HOUR, NOON, event_rows
from tests.place import Place


def commit_rows(place: Place, lake: Lake, name: str, rows: pa.RecordBatch, progress: int) -> None:
    """As the flush does."""
    table = lake.table(EVENTS)
    cut = list(cut_files(EVENTS, pa.Table.from_batches([rows]), name))
    for file in cut:
        place.blobs().put_blocking(EVENTS.container, file.entry.path, file.content)
    table.commit(table.snapshot([A]), [file.entry for file in cut], {A: progress})


def test_a_query_stays_at_its_version(fresh_place: Place) -> None:
    lake = fresh_place.lake()
    count = "SELECT count(*) AS n, max(_seq) AS top FROM rows"
    commit_rows(fresh_place, lake, "one", event_rows([(seq, 0) for seq in range(3)]), 2)
    asked, unasked = lake.table(EVENTS).snapshot(), fresh_place.lake().table(EVENTS).snapshot()
    assert asked.select(count).to_pylist() == [{"n": 3, "top": 2}]
    commit_rows(fresh_place, lake, "two", event_rows([(3, 0)]), 3)
    # `asked` has its query already, `unasked` makes it only now, at the version that it stands for.
    assert asked.select(count).to_pylist() == unasked.select(count).to_pylist() == [{"n": 3, "top": 2}]
    assert lake.table(EVENTS).snapshot().select(count).to_pylist() == [{"n": 4, "top": 3}]


def test_a_query_of_no_table_is_empty(fresh_place: Place) -> None:
    assert fresh_place.lake().table(EVENTS).snapshot().select("SELECT * FROM rows").num_rows == 0


@pytest.mark.parametrize(
    "time",
    [0, -1, NOON + 1, -62_135_596_800_000_000, -62_135_596_799_999_999, 253_402_300_799_999_999, HOUR - 1],
)
def test_times_come_back_and_are_found_by_statistics(fresh_place: Place, time: int) -> None:
    lake = fresh_place.lake()
    commit_rows(fresh_place, lake, "one", event_rows([(0, 0)], [time]), 0)
    snapshot = lake.table(EVENTS).snapshot()
    [file] = snapshot.files().to_pylist()
    assert file["earliest"] <= time <= file["latest"]
    moment = f"arrow_cast({time}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
    for condition in (f'"timestamp" = {moment}', f'"timestamp" >= {moment}', f'"timestamp" <= {moment}'):
        found = snapshot.select(f'SELECT "timestamp" AS t FROM rows WHERE {condition}')
        assert found["t"].cast(pa.int64()).to_pylist() == [time]


class BlobsThatPause(ObstoreBlobs):
    """Calls `between` after the read number `at`, from 0, of those since `reads` was set to 0."""

    def __init__(self, place: Place, at: int, between: Callable[[], None]) -> None:
        super().__init__(place.account)
        self._at = at
        self._between = between
        self.reads = -1_000_000

    def get(self, container: str, name: str) -> bytes:
        try:
            return super().get(container, name)
        finally:
            self.reads += 1
            if self.reads - 1 == self._at:
                self._between()


@pytest.mark.parametrize("at", range(4))
def test_progress_and_files_are_of_one_version_whenever_another_commits(fresh_place: Place, at: int) -> None:
    """Another commits twice while this one reads the log, after any of its reads: the last, say, behind which
    the handle goes on to a version that was not there when the log was read."""
    other = fresh_place.lake().table(EVENTS)

    def commit(first: int) -> None:
        other.commit(other.snapshot([A]), files(f"at-{first}", first), {A: first + 2})

    def commit_twice() -> None:
        commit(6)
        commit(9)

    commit(0)
    blobs = BlobsThatPause(fresh_place, at, commit_twice)
    mine = DeltaLake(fresh_place.account, blobs, identity={}).table(fresh_place.stream(EVENTS))
    mine.snapshot([A])
    commit(3)
    blobs.reads = 0
    for _ in range(2):
        found = mine.snapshot([A])
        assert found.progress(A) + 1 == sum(found.files()["rows"].to_pylist())


def test_writers_at_once_are_told_of_conflicts(fresh_place: Place) -> None:
    """From the making of the table on, each round one of them commits, and the others hear of it."""
    tables = [fresh_place.lake().table(EVENTS) for _ in range(3)]
    rounds = threading.Barrier(len(tables), timeout=60)
    won: list[str] = []

    def write(number: int) -> None:
        for turn in range(4):
            base = tables[number].snapshot([A])
            rounds.wait()
            with suppress(CommitConflict):
                tables[number].commit(base, files(f"{number}-{turn}"), {A: turn})
                won.append(f"{number}-{turn}")
            rounds.wait()

    with ThreadPoolExecutor(len(tables)) as pool:
        list(pool.map(write, range(len(tables))))
    found = fresh_place.lake().table(EVENTS).snapshot([A])
    assert sorted(path.split("/")[-1] for path in found.files()["path"].to_pylist()) == sorted(
        f"{name}.parquet" for name in won
    )
    assert len(won) <= 4
    assert found.progress(A) == max(int(name[-1]) for name in won)


def test_the_table_says_how_long_removed_files_are_kept(fresh_place: Place) -> None:
    table = fresh_place.lake().table(EVENTS)
    table.commit(table.snapshot(), files("one"), {A: 2})
    for hours in (1, 168, 168):
        table.trim(timedelta(hours=hours))
        opened = DeltaTable(
            f"az://{fresh_place.container(EVENTS.container)}/", storage_options=options(fresh_place)
        )
        kept = opened.metadata().configuration["delta.deletedFileRetentionDuration"]
        assert kept == f"interval {hours} hours"
    assert opened.version() == 3  # made, committed to, told twice


def options(place: Place) -> dict[str, str]:
    return {
        "azure_storage_account_name": place.account.name,
        "azure_storage_account_key": str(place.account.key),
        "azure_storage_endpoint": place.account.blob_endpoint,
        "allow_http": "true",
    }


def test_removals_go_on_where_the_log_was_cut(fresh_place: Place) -> None:
    table = fresh_place.lake().table(EVENTS)
    [one], [two] = files("one"), files("two", 3)
    snapshot = table.commit(table.snapshot(), [one, two], {A: 5})
    snapshot = table.commit(snapshot, (), {}, removed=[removed(one)])
    last = table.commit(snapshot, (), {}, removed=[removed(two)])
    cut = [f"_delta_log/{version:020}.json" for version in range(last.version)]
    fresh_place.blobs().delete(EVENTS.container, cut)
    [entry] = table.removals(-1, last.version)
    assert [f.name for f in entry.files] == [two.path]

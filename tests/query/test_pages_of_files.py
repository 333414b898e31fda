"""Pages that come straight out of data files: those that SQL gives, whatever happens to a file meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import cycle, product

import pyarrow as pa
import pytest

from shared.lake import data_files
from shared.lake.data_files import cut_files
from shared.lake.ports import RemovedFile
from shared.lake.segments import SegmentStore
from shared.platform.errors import StorageUnavailable
from shared.query import committed
from shared.query import data_files as pieces
from shared.query.data_files import Footers
from shared.query.events import events_wanted
from shared.query.history import History
from shared.query.readings import readings_wanted
from shared.streams import StreamDefinition
from shared.streams.events import EVENTS
from shared.streams.readings import READINGS
from tests.fakes import MemoryBlobs
from tests.fakes.seam import Seam, SeamBlobs, SeamLake
from tests.lake.rows import NOON, SECOND, event_rows, reading_rows
from tests.place import Place

_NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)
_SENSORS = ("a", "b'", "c" * 1100)
_ALL = events_wanted(limit=1000)


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files have several row groups."""
    monkeypatch.setattr(data_files, "RAW_ROW_GROUP_ROWS", 4)


@pytest.fixture(params=["files", "sql"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How pages are read."""
    if request.param == "sql":
        monkeypatch.setattr(committed, "_DEPTH", 0)


def write(
    place: Place,
    stream: StreamDefinition,
    rows: pa.RecordBatch,
    name: str,
    *,
    most_files: int = 200,
    in_place_of: tuple[RemovedFile, ...] = (),
) -> None:
    """Commits `rows` in files called `name`."""
    files = [*cut_files(stream, pa.Table.from_batches([rows]), name, most_files=most_files)]
    for file in files:
        place.blobs().put_blocking(stream.container, file.entry.path, file.content)
    table = place.lake().table(stream)
    table.commit(table.snapshot(), [file.entry for file in files], {name: 0}, removed=in_place_of)


def replace_files(place: Place, rows: pa.RecordBatch) -> None:
    """Puts other files with the same rows in place of all files of events, which are deleted."""
    files = place.lake().table(EVENTS).snapshot().files().to_pylist()
    gone = tuple(
        RemovedFile(file["path"], file["size"], {key: file[key] for key in EVENTS.partition_columns})
        for file in files
    )
    write(place, EVENTS, rows, "other", in_place_of=gone)
    place.blobs().delete(EVENTS.container, [file.path for file in gone])


def history_of(place: Place, seam: Seam | None = None) -> History:
    seam = seam or Seam(lambda: None)
    blobs = SeamBlobs(place.blobs(), seam)
    return History(SegmentStore(blobs), SeamLake(place.lake(), seam), blobs)


def test_files_give_the_pages_that_sql_gives(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sensors in files of their own and in shared ones, of two assets, over two hours, at equal times."""
    for name, first, most_files in (("apart", 0, 200), ("shared", 60, 0)):
        numbers = range(first, first + 60)
        rows = reading_rows(
            [_SENSORS[number % 3] for number in numbers],
            [NOON + number // 2 * 100 * SECOND for number in numbers],
            assets=["xy"[number % 7 == 0] for number in numbers],
            first=first,
        )
        write(place, READINGS, rows, name, most_files=most_files)
    history = history_of(place)
    window = _NOON + timedelta(minutes=50), _NOON + timedelta(minutes=80)
    filters = product(("x", None), (_SENSORS[2], None), ((None, None), window), (True, False))
    pages = cycle([(5, 0), (7, 9), (1000, 0)])
    wanted = [
        readings_wanted(asset, sensor, start, end, newest=newest, limit=limit, offset=offset)
        for (asset, sensor, (start, end), newest), (limit, offset) in zip(filters, pages, strict=False)
    ]
    monkeypatch.setattr(committed, "_DEPTH", 0)
    expected = [history.page(one) for one in wanted]
    assert len({page.num_rows for page in expected}) > 5
    monkeypatch.undo()

    def refuse(sql: str) -> None:
        raise AssertionError(sql)

    monkeypatch.setattr("shared.adapters.delta_snapshot.DeltaSnapshot.select", lambda _, sql: refuse(sql))
    for one, page in zip(wanted, expected, strict=True):
        assert history.page(one).equals(page), one


def test_long_rows_are_read_by_sql(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    write(place, EVENTS, event_rows([(seq, 0) for seq in range(20)]), "one")
    monkeypatch.setattr(committed, "_BYTES", 1)
    assert history_of(place).page(_ALL)["_seq"].to_pylist() == [*reversed(range(20))]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("call", [2, 3, 4])
def test_a_file_that_is_gone_sends_the_query_to_a_newer_snapshot(place: Place, call: int) -> None:
    """Call 1 takes the snapshot; where a query has no call of that number left, nothing happens to it."""
    rows = event_rows([(seq, 0) for seq in range(20)], [NOON + seq // 5 * 3600 * SECOND for seq in range(20)])
    write(place, EVENTS, rows, "one")
    seam = Seam(lambda: replace_files(place, rows), call - 1, after=True)
    found = history_of(place, seam).page(_ALL)
    assert found["_seq"].to_pylist() == [*reversed(range(20))]


@pytest.mark.usefixtures("way")
def test_a_file_that_is_gone_for_good_is_a_503(place: Place) -> None:
    write(place, EVENTS, event_rows([(0, 0)]), "one")
    [path] = place.lake().table(EVENTS).snapshot().files()["path"].to_pylist()
    place.blobs().delete(EVENTS.container, [path])
    with pytest.raises(StorageUnavailable):
        history_of(place).page(_ALL)


def test_a_file_that_is_no_parquet_is_a_503(place: Place) -> None:
    write(place, EVENTS, event_rows([(0, 0)]), "one")
    [file] = place.lake().table(EVENTS).snapshot().files().to_pylist()
    place.blobs().put_blocking(EVENTS.container, file["path"], b"x" * file["size"])
    with pytest.raises(StorageUnavailable, match="could not be read"):
        history_of(place).page(_ALL)


def test_a_page_opens_the_files_that_it_needs(place: Place) -> None:
    for hour in range(5):
        rows = event_rows(
            [(seq, 0) for seq in range(8)], [NOON + (hour * 3600 + s) * SECOND for s in range(8)]
        )
        write(place, EVENTS, rows, f"at-{hour}")
    seam = Seam(lambda: None)
    page = history_of(place, seam).page(events_wanted("transaction", limit=3))
    assert page["_seq"].to_pylist() == [7, 6, 5]
    read = [call for call in seam.calls if call.startswith("get ")]
    assert len(read) == 1
    assert "at-4" in read[0]


def test_footers_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pa.Table.from_batches([event_rows([(0, 0)])])
    [file] = cut_files(EVENTS, rows, "one")
    blobs = MemoryBlobs()
    for name in "abc":
        blobs.put_blocking("c", name, file.content)
    seam = Seam(lambda: None)
    footers = Footers(SeamBlobs(blobs, seam))
    size = footers.of("c", "a", len(file.content))[0].serialized_size
    monkeypatch.setattr(pieces, "_KEPT_BYTES", 2 * size)
    for name in "baca":
        footers.of("c", name, len(file.content))
    assert [call[-1] for call in seam.calls] == ["a", "b", "c"]
    footers.of("c", "b", len(file.content))
    assert len(seam.calls) == 4

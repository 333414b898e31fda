"""Summaries against a count of everything, made by others from the log and the blobs themselves."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.delta_lake import DeltaLake, DeltaLakeTable
from shared.lake import table_log
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Blobs, RemovedFile, Snapshot
from shared.lake.segments import SegmentStore
from shared.lake.summary import Share, TableSummary, fold
from shared.platform.clock import utc_now
from shared.platform.errors import StorageUnavailable
from shared.streams.events import EVENTS
from tests.contracts.test_lake import A, B, files
from tests.lake.rows import land
from tests.place import Place, PlacedBlobs

LOG = "_delta_log/"


@pytest.fixture(autouse=True)
def every_fourth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Summaries are kept often: at versions 3, 7, 11 and so on by one who commits them all."""
    monkeypatch.setattr(table_log, "EVERY", 4)


@pytest.fixture
def place(storage_connection_string: str) -> Place:
    """Containers for one test."""
    return Place(storage_connection_string, f"s{uuid.uuid4().hex[:10]}").make()


def options(place: Place) -> dict[str, str]:
    """What delta-rs takes."""
    return {
        "azure_storage_account_name": place.account.name,
        "azure_storage_account_key": str(place.account.key),
        "azure_storage_endpoint": place.account.blob_endpoint,
        "allow_http": "true",
    }


def delta_rs(place: Place) -> DeltaTable:
    """The table as others open it."""
    return DeltaTable(f"az://{place.container(EVENTS.container)}/", storage_options=options(place))


def recount(place: Place, folder: Path) -> dict[str, Any]:
    """The newest version by DuckDB, from the log's entries, each file held against its blob."""
    blobs = place.blobs()
    for info in blobs.list(EVENTS.container, LOG):
        if info.name.endswith(".json"):
            (folder / Path(info.name).name).write_bytes(blobs.get(EVENTS.container, info.name))
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE TABLE lines AS SELECT parse_filename(filename, true)::BIGINT AS version, json
                FROM read_ndjson_objects('{folder}/*.json', filename=true)"""
        )
        live = connection.execute(
            """WITH moves AS (
                 SELECT version, coalesce(json->>'$.add.path', json->>'$.remove.path') AS path,
                        json->>'$.add.path' IS NOT NULL AS added,
                        (json->>'$.add.size')::BIGINT AS size,
                        json->>'$.add.partitionValues.event_type' AS key
                 FROM lines WHERE json->>'$.add' IS NOT NULL OR json->>'$.remove' IS NOT NULL)
               SELECT path, arg_max(size, (version, added)), arg_max(key, (version, added)) FROM moves
               GROUP BY path HAVING arg_max(added, (version, added))"""
        ).fetchall()
        progress = connection.execute(
            """SELECT json->>'$.txn.appId', arg_max((json->>'$.txn.version')::BIGINT, version)
               FROM lines WHERE json->>'$.txn' IS NOT NULL GROUP BY ALL"""
        ).fetchall()
        flushes = connection.execute(
            """SELECT count(*), coalesce(sum((json->>'$.commitInfo.floe.rows')::BIGINT), 0),
                      max((json->>'$.commitInfo.floe.last_message')::BIGINT)
               FROM lines WHERE json->>'$.commitInfo.floe.kind' = 'flush'"""
        ).fetchone()
        version = connection.execute("SELECT max(version) FROM lines").fetchone()
    assert flushes is not None
    assert version is not None
    stored = {info.name: info.size for info in blobs.list(EVENTS.container, "raw/")}
    assert {path: size for path, size, _ in live}.items() <= stored.items()
    keys = Counter(key for _, _, key in live)
    sizes = Counter({key: sum(size for _, size, k in live if k == key) for key in keys})
    return {
        "version": version[0],
        "files": len(live),
        "bytes": sum(size for _, size, _ in live),
        "keys": {key: Share(keys[key], sizes[key]) for key in keys},
        "progress": dict(progress),
        "flush": {"commits": flushes[0], "rows": int(flushes[1])},
        "last_message": flushes[2],
        "paths": [path for path, _, _ in live],
    }


def told(summary: TableSummary) -> dict[str, Any]:
    """What the summary says of the same things."""
    return {
        "version": summary.version,
        "files": summary.files,
        "bytes": summary.bytes,
        "keys": summary.keys,
        "progress": summary.progress,
        "flush": summary.done.get("flush", {"commits": 0, "rows": 0}),
        "last_message": summary.last_message,
    }


class Killed(BaseException):
    """The process ends here."""


class DyingBlobs(PlacedBlobs):
    """Blobs of a process that dies when it is about to keep a summary, or right after."""

    def __init__(self, place: Place, when: str) -> None:
        super().__init__(place)
        self._when = when

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        if name.startswith(table_log.FOLDER) and self._when == "before":
            raise Killed
        super().put_blocking(container, name, data)
        if name.startswith(table_log.FOLDER) and self._when == "after":
            raise Killed


class PlacedTables:
    """Implements Lake over blobs of one's own choice."""

    def __init__(self, place: Place, blobs: PlacedBlobs) -> None:
        # The adapter knows containers by their whole names, the place's blobs put the prefix before them.
        self._lake = DeltaLake(place.account, Unprefixed(blobs, place), identity={})
        self._place = place

    def table(self, stream: Any) -> DeltaLakeTable:
        return self._lake.table(self._place.stream(stream))


class Unprefixed:
    """Blobs of a place under whole container names."""

    def __init__(self, blobs: PlacedBlobs, place: Place) -> None:
        self._blobs = blobs
        self._place = place

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._blobs, name)

        def call(container: str, *more: Any) -> Any:
            return method(container.removeprefix(f"{self._place.prefix}-"), *more)

        return call


def lake_of(place: Place, blobs: PlacedBlobs | None = None) -> Any:
    """The tables as a new process sees them."""
    return PlacedTables(place, blobs or place.blobs())


def flush(place: Place, lake: Any, rng: random.Random) -> None:
    blobs: Blobs = place.blobs()
    limits = FlushLimits(rows=rng.randint(1, 12), bytes=2**20)
    Flusher(SegmentStore(blobs), blobs, lake, place.leases(), limits, utc_now).flush(EVENTS)


def live(snapshot: Snapshot, count: int, rng: random.Random) -> list[RemovedFile]:
    """Some of the snapshot's files, of one partition."""
    rows = snapshot.files().to_pylist()
    if not rows:
        return []
    same = ("event_type", "date", "hour")
    chosen = rng.choice(rows)
    rows = [row for row in rows if all(row[name] == chosen[name] for name in same)][:count]
    return [RemovedFile(row["path"], row["size"], {name: row[name] for name in same}) for row in rows]


def merge(place: Place, lake: Any, rng: random.Random) -> None:
    """As an upload does: some files out, one with their rows in."""
    table = lake.table(EVENTS)
    snapshot = table.snapshot()
    out = live(snapshot, 3, rng)
    if len(out) < 2:
        return
    content = b"".join(place.blobs().get(EVENTS.container, file.path) for file in out)
    [entry] = files(f"merged-{rng.getrandbits(40):x}")
    place.blobs().put_blocking(EVENTS.container, entry.path, content)
    entry = type(entry)(entry.path, len(content), entry.rows, out[0].partition, entry.statistics)
    notes = {"kind": "upload", "rows": 1, "files_merged": len(out), "bytes": len(content)}
    table.commit(snapshot, [entry], {}, removed=out, rearranged=True, notes=notes)


def drop(place: Place, lake: Any, rng: random.Random) -> None:
    """As retention does."""
    table = lake.table(EVENTS)
    snapshot = table.snapshot()
    out = live(snapshot, 1, rng)
    if out:
        notes = {"kind": "retention", "files": len(out), "bytes": sum(file.size for file in out)}
        table.commit(snapshot, [], {}, removed=out, notes=notes)


@pytest.mark.parametrize("seed", range(2))
def test_the_summary_is_what_others_count(place: Place, tmp_path: Path, seed: int) -> None:
    """After flushes, merges and removals by several processes, some of which die around the keeping."""
    rng = random.Random(seed)
    sent = Counter[int]()
    lake = lake_of(place)
    for _ in range(26):
        partition = rng.randrange(3)
        count = rng.randint(1, 9)
        first = sent[partition]
        land(SegmentStore(place.blobs()), range(first, first + count), partition=partition)
        sent[partition] += count
        fate = rng.choice(["goes on", "goes on", "anew", "before", "after"])
        if fate != "goes on":
            lake = lake_of(place, DyingBlobs(place, fate))
        step = rng.choice([flush, flush, flush, lambda *given: (merge(*given), drop(*given))])
        with suppress(Killed):
            if step is flush:
                place.break_leases()
            step(place, lake, rng)
        if fate in ("before", "after"):
            lake = lake_of(place)
    counted = recount(place, tmp_path)
    paths = counted.pop("paths")
    assert counted["version"] > 20
    for summary in (lake.table(EVENTS).summary(), lake_of(place).table(EVENTS).summary()):
        assert told(summary) == counted
    assert counted["progress"].keys() - {"removals"} == {f"events.transaction/{p}/g1" for p in sent}
    # Without the kept summaries the same comes out of the log.
    blobs = place.blobs()
    kept = [info.name for info in blobs.list(EVENTS.container, table_log.FOLDER)]
    assert 1 <= len(kept) <= 4
    blobs.delete(EVENTS.container, kept)
    assert told(lake_of(place).table(EVENTS).summary()) == counted
    snapshot = delta_rs(place)
    assert sorted(pa_paths(snapshot)) == sorted(paths)


def pa_paths(table: DeltaTable) -> list[str]:
    return [str(path) for path in table.get_add_actions()["path"].to_pylist()]


def commit_many(place: Place, count: int, lake: Any = None, first: int = 0) -> None:
    table = (lake or lake_of(place)).table(EVENTS)
    snapshot = table.snapshot([A])
    for number in range(first, first + count):
        notes = {"kind": "flush", "rows": 1, "messages": {"a": 1}, "last_message": number}
        snapshot = table.commit(snapshot, files(f"n{number}", number, 1), {A: number}, notes=notes)


def kept_names(place: Place) -> list[str]:
    return [info.name for info in place.blobs().list(EVENTS.container, table_log.FOLDER)]


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


# --- the fold alone -----------------------------------------------------------------------------------------

_names = st.sampled_from(["a", "b", "ü/ \U0001f600"])
_actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), _names, st.integers(0, 2**40)),
        st.tuples(st.just("remove"), st.integers(0, 30), _names, st.just(0)),
        st.tuples(st.just("txn"), st.integers(0, 3), _names, st.integers(0, 2**60)),
    ),
    max_size=12,
)
_notes = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["kind", "rows", "bytes", "messages", "last_message", "share"]),
        st.one_of(st.integers(0, 9), st.sampled_from(["flush", "upload", "x"]), st.floats(0, 1), st.none()),
    ),
)


@given(st.lists(st.tuples(_actions, _notes), max_size=12))
def test_a_fold_of_any_log(entries: list[tuple[list[Any], Any]]) -> None:
    summary, stored = TableSummary(), dict[int, tuple[str, int]]()
    progress: dict[str, int] = {}
    for actions, notes in entries:
        lines: list[Any] = [{"commitInfo": {"timestamp": 1} | ({} if notes is None else {"floe": notes})}]
        for kind, number, name, size in actions:
            if kind == "txn":
                lines.append({"txn": {"appId": f"{name}{number}", "version": size}})
                progress[f"{name}{number}"] = size
            elif kind == "add" and number not in stored:
                stored[number] = (name, size)
                lines.append({"add": line_of(number, *stored[number])})
            elif kind == "remove" and number in stored:
                lines.append({"remove": line_of(number, *stored.pop(number))})
        fold(summary, "\n".join(map(json.dumps, lines)).encode(), "key")
    shares = Counter(name for name, _ in stored.values())
    assert summary.keys == {
        name: Share(count, sum(size for key, size in stored.values() if key == name))
        for name, count in shares.items()
    }
    assert (summary.files, summary.bytes) == (len(stored), sum(size for _, size in stored.values()))
    assert summary.progress == progress
    assert summary.version == len(entries) - 1
    assert summary.exact


def line_of(number: int, key: str, size: int) -> dict[str, Any]:
    return {"path": f"{number}", "size": size, "partitionValues": {"key": key}, "dataChange": True}


def test_an_entry_in_another_form_leaves_its_progress() -> None:
    summary = TableSummary()
    odd = {"add": {"path": "a", "size": "large", "partitionValues": {"key": 3}}}
    moved = {"txn": {"appId": "a", "version": 7}}
    fold(summary, f"{json.dumps(odd)}\n{json.dumps(moved)}".encode(), "key")
    assert (summary.version, summary.progress, summary.exact, summary.files) == (0, {"a": 7}, False, 0)


def test_a_copy_is_not_moved_by_what_follows() -> None:
    summary = TableSummary(keys={"a": Share(1, 2)}, done={"flush": {"rows": 1}}, messages={"t": 1})
    copy = summary.copy()
    entry = {"commitInfo": {"floe": {"kind": "flush", "rows": 5, "messages": {"t": 2}}}}
    added = {"add": line_of(1, "a", 3)}
    fold(summary, f"{json.dumps(entry)}\n{json.dumps(added)}".encode(), "key")
    assert (copy.keys, copy.done, copy.messages) == ({"a": Share(1, 2)}, {"flush": {"rows": 1}}, {"t": 1})
    assert (summary.keys, summary.messages) == ({"a": Share(2, 5)}, {"t": 3})


def test_parquet_rows_are_those_flushed(place: Place) -> None:
    """What the notes add up to is in the files."""
    land(SegmentStore(place.blobs()), range(25))
    flush(place, lake_of(place), random.Random(1))
    summary = lake_of(place).table(EVENTS).summary()
    contents = [place.blobs().get(EVENTS.container, path) for path in pa_paths(delta_rs(place))]
    rows = sum(pq.read_table(BytesIO(content)).num_rows for content in contents)
    assert summary.total("flush", "rows") == rows == 25
    assert summary.messages == {"events.transaction": 25}
    assert summary.total("flush", "nothing") == summary.total("nothing", "rows") == 0


def test_a_vacuum_of_others_leaves_the_summary(place: Place) -> None:
    commit_many(place, 5)
    kept = kept_names(place)
    assert kept
    table = delta_rs(place)
    for full in (False, True):
        doomed = table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=full)
        assert not [name for name in doomed if "_floe" in name]
    assert kept_names(place) == kept

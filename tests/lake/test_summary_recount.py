"""Summaries against a count of everything, made by others from the log and the blobs themselves."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from shared.lake import table_log
from shared.lake.ports import RemovedFile, Snapshot
from shared.lake.segments import SegmentStore
from shared.lake.summary import Share, TableSummary
from shared.streams.events import EVENTS
from tests.contracts.test_lake import files
from tests.lake.rows import land
from tests.lake.summaries import (
    LOG,
    DyingBlobs,
    Killed,
    delta_rs,
    every_fourth,
    flush,
    lake_of,
    pa_paths,
    place,
)
from tests.place import Place

__all__ = ["every_fourth", "place"]


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

"""`python -m bench.log_scale_reader`: one process that opens a table and looks into it; prints JSON.

Told on standard input: the connection string, the container, and what to do first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bench.log_scale import ASSET, READINGS_AN_HOUR, SENSOR, SOURCE, START, open_delta, open_table
from bench.processes import memory
from bench.stack import account_of
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.ports import DataFile
from shared.lake.segments import SegmentStore
from shared.query.history import History
from shared.query.wanted import RowsWanted
from shared.streams.readings import READINGS

_DAY = 24 * READINGS_AN_HOUR


class Clocked:
    """Seconds and CPU seconds of each step."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}

    def time[Found](self, name: str, step: Callable[[], Found]) -> Found:
        """What `step` returns."""
        began, cpu = time.perf_counter(), time.process_time()
        found = step()
        self.found[name] = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "mb": memory(os.getpid()).now,
        }
        return found


class _Lake:
    """The one table, under the readings' name."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def table(self, stream: object) -> Any:
        return self._table


def read(connection: str, container: str) -> dict[str, dict[str, float]]:
    """All steps, in a process that has done nothing yet."""
    account = account_of(connection)
    stream = replace(READINGS, container=container)
    clocked = Clocked()
    plain = clocked.time("delta-rs alone", lambda: open_delta(account, container))
    del plain
    summary = clocked.time("summary", open_table(account, stream).summary)
    table = open_table(account, stream)
    snapshot = clocked.time("open", lambda: table.snapshot([SOURCE]))
    files = clocked.time("files", snapshot.files)
    assert files.num_rows == summary.files
    blobs = ObstoreBlobs(account)
    history = History(SegmentStore(blobs), _Lake(table), blobs)
    wanted = RowsWanted(
        stream=READINGS,
        equal={"asset_id": ASSET, "sensor_id": SENSOR},
        start=START,
        end=START + timedelta(days=1),
        limit=_DAY,
    )
    for name in ("first day", "day again", "day once more"):
        assert clocked.time(name, lambda: history.page(wanted)).num_rows == _DAY
    row = files.slice(0, 1).to_pylist()[0]
    entry = DataFile(
        "raw/one-more.parquet",
        row["size"],
        row["rows"],
        {name: row[name] for name in stream.partition_columns},
        _statistics_of_an_hour_that_nobody_asks_for(),
    )
    clocked.time("commit", lambda: table.commit(snapshot, [entry], {SOURCE: 10_000}))
    assert clocked.time("day after a commit", lambda: history.page(wanted)).num_rows == _DAY
    clocked.time("summary after a commit", table.summary)
    return clocked.found


def _statistics_of_an_hour_that_nobody_asks_for() -> str:
    bounds = {"timestamp": "2030-01-01T00:00:00.000Z", "ingestion_time": "2030-01-01T00:00:00.000Z"}
    names = {**bounds, "sensor_id": SENSOR}
    return json.dumps(
        {"numRecords": 1, "minValues": names, "maxValues": names, "nullCount": dict.fromkeys(names, 0)}
    )


if __name__ == "__main__":
    print(json.dumps(read(*json.load(sys.stdin))))

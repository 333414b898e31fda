"""Readers that know nothing of Floe count what it wrote: the log read by hand, DuckDB and Polars."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import polars
import pyarrow.parquet as pq
import pytest

from shared.ingest.decode_events import EventDecoder
from shared.ingest.land import Landing, LandingLimits
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.segments import SegmentStore
from shared.platform.clock import utc_now
from shared.streams import StreamDefinition
from shared.streams.dead_letters import DEAD_LETTERS
from shared.streams.events import EVENTS
from tests.fakes import MemoryBroker, MemoryGenerations, MemoryNotices
from tests.kills.deliveries import DEAD_LETTERS as DEAD
from tests.kills.deliveries import PARTITIONS, ROWS
from tests.place import Place

_LIMITS = LandingLimits(segment_bytes=2**20, segment_rows=1000, bad_share=1, bad_minimum=10**6)
# More than the table's checkpoint interval, so that the log is a checkpoint and entries after it.
_COMMITS = 64


@pytest.fixture
async def filled(storage_connection_string: str) -> Place:
    """A place where everything was landed, and committed in many small commits."""
    place = Place(storage_connection_string, f"r{uuid.uuid4().hex[:10]}").make()
    blobs = place.blobs()
    segments = SegmentStore(blobs)
    broker = MemoryBroker(EVENTS.topics)
    landing = Landing(segments, broker, MemoryGenerations(), MemoryNotices(), cache(EventDecoder), _LIMITS)
    flusher = Flusher(segments, blobs, place.lake(), place.leases(), FlushLimits(rows=1, bytes=1), utc_now)
    for partition in PARTITIONS:
        for first in range(partition.messages):
            await landing.land(partition.batch(first, 1))
    flusher.flush_all()
    return place


class Log:
    """A Delta log, read as its protocol says: the last checkpoint, then the entries after it."""

    def __init__(self, place: Place, stream: StreamDefinition) -> None:
        self._blobs = place.blobs()
        self._container = stream.container
        self.adds: dict[str, dict[str, Any]] = {}
        self.progress: dict[str, int] = {}
        self.entries = 0
        self.checkpoint = self._read_checkpoint()
        while self._read_entry(self.checkpoint + self.entries + 1):
            self.entries += 1

    def _read_checkpoint(self) -> int:
        names = [info.name for info in self._blobs.list(self._container, "_delta_log/")]
        if "_delta_log/_last_checkpoint" not in names:
            return -1
        version: int = json.loads(self._blobs.get(self._container, "_delta_log/_last_checkpoint"))["version"]
        content = self._blobs.get(self._container, f"_delta_log/{version:020}.checkpoint.parquet")
        for row in pq.read_table(BytesIO(content)).to_pylist():
            self._apply({kind: action for kind, action in row.items() if action is not None})
        return version

    def _read_entry(self, version: int) -> bool:
        name = f"_delta_log/{version:020}.json"
        if not any(info.name == name for info in self._blobs.list(self._container, name)):
            return False
        for line in self._blobs.get(self._container, name).splitlines():
            self._apply(json.loads(line))
        return True

    def _apply(self, actions: dict[str, Any]) -> None:
        if add := actions.get("add"):
            self.adds[add["path"]] = add
        if remove := actions.get("remove"):
            del self.adds[remove["path"]]
        if txn := actions.get("txn"):
            self.progress[txn["appId"]] = txn["version"]

    def download(self, folder: Path) -> str:
        """Copies the files that the log names, and nothing else, and returns a pattern of them."""
        for path, add in self.adds.items():
            name = unquote(path)
            content = self._blobs.get(self._container, name)
            assert len(content) == add["size"]
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return f"{folder}/**/*.parquet"


@pytest.mark.parametrize(
    ("stream", "key", "expected"), [(EVENTS, "event_type", ROWS), (DEAD_LETTERS, "topic", DEAD)]
)
async def test_everybody_counts_the_same(
    filled: Place, tmp_path: Path, stream: StreamDefinition, key: str, expected: set[Any]
) -> None:
    log = Log(filled, stream)
    columns = [key, "_partition", "_seq", "_idx"]

    pattern = log.download(tmp_path)
    query = f"SELECT {', '.join(columns)} FROM read_parquet('{pattern}', hive_partitioning = false)"
    assert Counter(duckdb.sql(query).fetchall()) == Counter(expected)

    account = filled.account
    scanned = polars.scan_delta(
        f"az://{filled.container(stream.container)}/",
        storage_options={
            "azure_storage_account_name": account.name,
            "azure_storage_account_key": str(account.key),
            "azure_storage_endpoint": account.blob_endpoint,
            "allow_http": "true",
        },
    )
    assert Counter(scanned.select(columns).collect().rows()) == Counter(expected)

    assert sum(json.loads(add["stats"])["numRecords"] for add in log.adds.values()) == len(expected)
    reached = {app_id.rsplit("/", 1)[0]: version for app_id, version in log.progress.items()}
    for partition in PARTITIONS:
        places = partition.rows() if stream is EVENTS else partition.dead_letters()
        assert reached.get(partition.key, -1) == max((seq for _, _, seq, _ in places), default=-1)


async def test_plain_files_need_no_log(filled: Place, tmp_path: Path) -> None:
    """Every column is in them, and they are laid out by type and hour."""
    pattern = Log(filled, EVENTS).download(tmp_path)
    found = duckdb.sql(
        f"""SELECT filename, event_type, strftime("timestamp" AT TIME ZONE 'UTC', '%Y/%m/%d/%H'), data
        FROM read_parquet('{pattern}', filename = true, hive_partitioning = false)"""
    ).fetchall()
    assert len(found) == len(ROWS)
    for name, event_type, hour, data in found:
        assert name.startswith(f"{tmp_path}/raw/{event_type}/{hour}/")
        assert json.loads(data).keys() == {"user_id", "value"}

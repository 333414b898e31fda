"""What the lake holds, read without Floe: the Delta log as JSON, the files through DuckDB."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import duckdb
import msgspec
import obstore
from obstore.store import AzureStore

from bench.stack import scratch
from shared.adapters.connection import StorageAccount
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER

_ROWS = re.compile(r"/\d{20}-\d{20}\.(\d+)\.")


def open_container(account: StorageAccount, container: str) -> AzureStore:
    """A container as obstore sees it."""
    return AzureStore(
        container_name=container,
        account_name=account.name,
        account_key=account.key,
        endpoint=account.blob_endpoint,
        client_options={"allow_http": True},
    )


class DeltaLog:
    """Follows the log of a table of events entry by entry: a small request each time it is asked."""

    def __init__(self, account: StorageAccount, container: str = EVENTS.container) -> None:
        self._store = open_container(account, container)
        self._next = 0
        self._paths: set[str] = set()
        # Rows added, by event type.
        self.rows: Counter[str] = Counter()
        self.commits = 0

    def follow(self) -> None:
        """Reads the entries that are new."""
        while (entry := self._entry()) is not None:
            self._next += 1
            for line in entry.splitlines():
                self._take(msgspec.json.decode(line))

    def _entry(self) -> bytes | None:
        try:
            return obstore.get(self._store, f"_delta_log/{self._next:020}.json").bytes().to_bytes()
        except FileNotFoundError:
            return None

    def _take(self, action: dict[str, dict[str, object]]) -> None:
        if add := action.get("add"):
            self._paths.add(str(add["path"]))
            rows = msgspec.json.decode(str(add["stats"]))["numRecords"]
            values = add["partitionValues"]
            assert isinstance(values, dict)
            self.rows[values[EVENTS.key_column]] += rows
        elif remove := action.get("remove"):
            self._paths.discard(str(remove["path"]))
        elif "commitInfo" in action:
            self.commits += 1

    @contextmanager
    def files(self) -> Iterator[list[str]]:
        """The live files, copied to this machine for a while."""
        self.follow()
        with scratch() as folder, ThreadPoolExecutor(4) as pool:
            yield list(pool.map(lambda item: self._copy(folder, *item), enumerate(sorted(self._paths))))

    def _copy(self, folder: Path, number: int, path: str) -> str:
        target = folder / f"{number}.parquet"
        target.write_bytes(obstore.get(self._store, unquote(path)).bytes().to_bytes())
        return str(target)


@dataclass(frozen=True)
class Recount:
    """Rows found, and how many different ids they have."""

    rows: int
    ids: int


def recount(files: list[str], prefix: str) -> Recount:
    """Counts the rows of Parquet files whose `event_id` starts with `prefix`, independently of Floe."""
    if not files:
        return Recount(0, 0)
    query = "SELECT count(*), count(DISTINCT event_id) FROM read_parquet(?) WHERE starts_with(event_id, ?)"
    with duckdb.connect() as connection:
        found = connection.execute(query, [files, prefix + "-"]).fetchone()
    assert found is not None
    return Recount(*found)


class Landing:
    """The landing segments of a topic."""

    def __init__(self, account: StorageAccount, topic: str) -> None:
        self._store = open_container(account, LANDING_CONTAINER)
        self._topic = topic

    def rows(self) -> int:
        """Rows that wait, as the segments' names tell."""
        found = 0
        for page in obstore.list(self._store, f"{self._topic}/", chunk_size=1000):
            for blob in page:
                if told := _ROWS.search(blob["path"]):
                    found += int(told[1])
        return found

"""Tables whose summaries tests look into, and processes that keep them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from deltalake import DeltaTable

from shared.adapters.delta_lake import DeltaLake, DeltaLakeTable
from shared.lake import table_log
from shared.lake.flush import Flusher, FlushLimits
from shared.lake.ports import Blobs
from shared.lake.segments import SegmentStore
from shared.platform.clock import utc_now
from shared.streams.events import EVENTS
from tests.contracts.test_lake import A, files
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

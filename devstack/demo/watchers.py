"""Those who look, while a run goes on, how far it has come: in the buffer, in the table and in the API."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError, TableNotFoundError

from devstack.demo.api import Api, ApiError
from devstack.demo.plan import EVENT_TYPE, TOPIC, Plan, Window, rfc3339
from devstack.demo.replay import Replay
from devstack.demo.tally import Tally
from shared.lake.ports import BlobInfo
from shared.lake.segments import parse_name
from shared.streams.events import EVENTS
from shared.streams.models import LANDING_CONTAINER

# What may go wrong while the stack restarts a part of itself; the next look tells.
PASSING = (ApiError, AzureError, DeltaError, OSError)


class Watcher(Protocol):
    """Looks at one station."""

    def look(self) -> None:
        """Brings the station's count up to date; may raise one of PASSING. Blocks."""


class LandingWatcher:
    """Reads off the names of landing segments up to which offset each partition is landed."""

    def __init__(self, connection_string: str, replay: Replay, tally: Tally) -> None:
        self._container = ContainerClient.from_connection_string(
            connection_string, LANDING_CONTAINER, retry_total=0
        )
        self._replay = replay
        self._tally = tally
        self._reached: dict[int, int] = {}

    def look(self) -> None:
        """See Watcher."""
        for blob in self._container.list_blobs(name_starts_with=f"{TOPIC}/"):
            segment = parse_name(BlobInfo(blob.name, blob.size))
            if segment is not None:
                partition = segment.source.partition
                self._reached[partition] = max(segment.last, self._reached.get(partition, -1))
        landed = sum(self._replay.below(partition, last) for partition, last in self._reached.items())
        # What is committed was landed, though a flush may have taken its segments before they were seen.
        self._tally.landed = max(self._tally.landed, landed, self._tally.committed)


class TableWatcher:
    """Counts the run's rows in the Delta table with delta-rs, beside Floe's own reading."""

    def __init__(self, connection_string: str, plan: Plan, tally: Tally) -> None:
        self._options = storage_options(connection_string)
        self._plan = plan
        self._tally = tally
        self._table: DeltaTable | None = None
        self._counted = -1
        self.distinct = 0

    def look(self) -> None:
        """See Watcher."""
        try:
            self._table = self._table or DeltaTable(
                f"az://{EVENTS.container}/", storage_options=self._options
            )
        except TableNotFoundError:
            return
        self._table.update_incremental()
        if self._table.version() == self._counted:
            return
        first, last = rfc3339(self._plan.start), rfc3339(self._plan.end)
        sql = (
            "SELECT count(*) AS rows, count(DISTINCT event_id) AS ids FROM events "  # noqa: S608
            f"WHERE event_type = '{EVENT_TYPE}' AND event_id LIKE '{self._plan.prefix}%' "
            f"AND timestamp >= '{first}' AND timestamp < '{last}'"
        )
        answer = QueryBuilder().register("events", self._table).execute(sql).read_all()
        self._tally.committed, self.distinct = int(answer["rows"][0].as_py()), int(answer["ids"][0].as_py())
        self._counted = self._table.version()


class ApiWatcher:
    """Follows the run through the API, window by window, each until all of it is there."""

    def __init__(self, api: Api, plan: Plan, tally: Tally) -> None:
        self._api = api
        self._prefix = plan.prefix
        self._tally = tally
        self._windows = list(plan.windows())
        self._current = 0
        self._before = 0

    def look(self) -> None:
        """See Watcher."""
        while self._current < len(self._windows):
            window = self._windows[self._current]
            present = sum(1 for event in self._api.events(window) if event["event_id"] in window.events)
            self._tally.found = self._before + present
            if present < len(window.events):
                return
            self._before += len(window.events)
            self._current += 1

    def recount(self) -> None:
        """Looks at all windows anew, compares every event with what was sent, and notes what is wrong."""
        seen: Counter[str] = Counter()
        changed = 0
        for window in self._windows:
            for event in self._api.events(window):
                if event["event_id"].startswith(self._prefix):
                    seen[event["event_id"]] += 1
                    changed += not _is_as_sent(event, window)
        self._tally.found = len(seen)
        twice = sum(1 for count in seen.values() if count > 1)
        if twice:
            self._tally.faults.append(f"{twice:,} events were found more than once through the API")
        if changed:
            self._tally.faults.append(f"{changed:,} events came back from the API changed")


def storage_options(connection_string: str) -> dict[str, str]:
    """What delta-rs needs to know about a storage account that is reached by its key."""
    parts = dict(part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    return {
        "account_name": parts["AccountName"],
        "account_key": parts["AccountKey"],
        "endpoint": parts["BlobEndpoint"],
        "allow_http": "true",
    }


def _is_as_sent(event: dict[str, object], window: Window) -> bool:
    return window.events.get(str(event["event_id"])) == event["data"]

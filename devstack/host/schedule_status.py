"""When each timer ran last, kept in the host's storage as the real host keeps it."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError

from devstack.host.storage import Storage, upload

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleStatus:
    """Last run, next run as reckoned then, and when that was reckoned; all UTC."""

    last: datetime
    next: datetime
    updated: datetime

    def fields(self) -> dict[str, str]:
        """As the function sees it."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


class StatusStore:
    """A blob for each timer: `timers/<host id>/<function>/status`."""

    def __init__(self, storage: Storage, host_id: str) -> None:
        self._storage = storage
        self._host_id = host_id

    async def load(self, function: str) -> ScheduleStatus | None:
        """None when the timer never ran, or nothing can be read."""
        blob = self._storage.host_container.get_blob_client(self._path(function))
        try:
            content = await self._storage.run(lambda: blob.download_blob().readall())
            fields = json.loads(content)
            return ScheduleStatus(
                *(datetime.fromisoformat(fields[key]) for key in ("Last", "Next", "LastUpdated"))
            )
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError, KeyError) as error:
            log.warning("%s: its last run cannot be read: %s", function, error)
            return None

    async def save(self, function: str, status: ScheduleStatus) -> None:
        """Written before it returns; a failure is logged."""
        content = json.dumps(status.fields()).encode()
        try:
            await self._storage.run(upload, self._storage.host_container, self._path(function), content)
        except AzureError as error:
            log.warning("%s: its last run cannot be written: %s", function, error)

    def _path(self, function: str) -> str:
        return f"timers/{self._host_id}/{function}/status"

"""A clean-up as it will be once merged files may go: Floe's own code, in this process, with a clock ahead."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.blob_leases import BlobLeases
from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.cleanup import Cleaner, CleanupLimits
from shared.lake.segments import SegmentStore
from shared.platform.clock import utc_now
from shared.streams.models import SYSTEM_CONTAINER
from shared.streams.readings import READINGS

_KEPT = timedelta(hours=1)
_AHEAD = timedelta(hours=2)
_LEASE_SECONDS, _PATIENCE = 15, 60.0


@dataclass(frozen=True)
class LaterCleanup:
    """Files deleted, and the wall and CPU seconds that it took."""

    files: int
    seconds: float
    cpu: float


def clean_up_later(account: StorageAccount) -> LaterCleanup:
    """Cleans up the readings as two hours from now."""

    def ahead() -> datetime:
        return utc_now() + _AHEAD

    blobs = ObstoreBlobs(account)
    lake = DeltaLake(account, blobs, identity={})
    leases = BlobLeases(account, SYSTEM_CONTAINER, _LEASE_SECONDS)
    cleaner = Cleaner(SegmentStore(blobs), blobs, lake, leases, CleanupLimits(_KEPT), ahead)
    began, cpu = time.monotonic(), time.process_time()
    report = cleaner.clean(READINGS, wait_seconds=_PATIENCE)
    return LaterCleanup(report.files_deleted, time.monotonic() - began, time.process_time() - cpu)

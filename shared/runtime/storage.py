"""What Floe keeps its data in: blobs, Delta tables, tables of state, queues, leases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.health.board import NoticeBoard
    from shared.lake.file_listing import FileListing
    from shared.lake.ports import Blobs, Lake, Leases
    from shared.lake.segments import SegmentStore
    from shared.platform.queues import Queues
    from shared.platform.tables import Tables


@cache
def segments() -> SegmentStore:
    """The landing segments of all streams."""
    import pyarrow as pa

    from shared.lake.segments import SegmentStore

    # The system's allocator gives memory back; Arrow's own kept half as much again after a flush.
    pa.set_memory_pool(pa.system_memory_pool())
    return SegmentStore(blobs())


@cache
def file_listing() -> FileListing:
    """Data files as storage lists them."""
    from shared.adapters.connection import storage_account
    from shared.adapters.file_listing import AzureFileListing

    return AzureFileListing(storage_account(settings()))


@cache
def board() -> NoticeBoard:
    """Notices, which all instances see."""
    from shared.health.board import NoticeBoard

    return NoticeBoard(blobs(), utc_now)


@cache
def blobs() -> Blobs:
    """Blobs of the storage account."""
    from shared.adapters.connection import storage_account
    from shared.adapters.obstore_blobs import ObstoreBlobs

    return ObstoreBlobs(storage_account(settings()))


@cache
def leases() -> Leases:
    """Leases, one writer for each table."""
    from shared.adapters.blob_leases import BlobLeases
    from shared.adapters.connection import storage_account
    from shared.streams.models import SYSTEM_CONTAINER

    return BlobLeases(storage_account(settings()), SYSTEM_CONTAINER, settings().lease_seconds)


@cache
def lake() -> Lake:
    """The Delta tables."""
    from shared.adapters.connection import storage_account
    from shared.adapters.delta_lake import DeltaLake

    return DeltaLake(storage_account(settings()), blobs(), identity=settings().delta_identity())


@cache
def tables() -> Tables:
    """Tables of mutable state."""
    from shared.adapters.connection import storage_account
    from shared.adapters.table_storage import TableStorage

    return TableStorage(storage_account(settings()))


@cache
def queues() -> Queues:
    """Queues of the storage account."""
    from shared.adapters.connection import storage_account
    from shared.adapters.queue_storage import QueueStorage

    return QueueStorage(storage_account(settings()))

"""Listings of blobs in memory."""

from __future__ import annotations

from itertools import islice

from shared.lake.file_listing import StoredFile
from tests.fakes.blobs import MemoryBlobs


class MemoryFileListing:
    """Implements shared.lake.file_listing.FileListing over `blobs`."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs

    def page(self, container: str, prefix: str, after: str | None, limit: int) -> list[StoredFile]:
        wanted = (
            StoredFile(
                info.name,
                info.size,
                info.modified,
                "application/octet-stream",
                self._blobs.tiers.get((container, info.name), "Hot"),
            )
            for info in self._blobs.list(container, prefix)
            if not info.name.startswith("_") and (after is None or info.name > after)
        )
        return list(islice(wanted, limit))

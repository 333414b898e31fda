"""Listings with content types and tiers, which only the Azure SDK gives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobProperties

from shared.adapters.blob_service import blob_service
from shared.adapters.connection import StorageAccount
from shared.lake.file_listing import StoredFile
from shared.platform.errors import StorageUnavailable

# What comes right after the last name that begins with `_`.
_BEHIND_UNDERSCORE = "`"
_STORAGE_PAGE = 5000


class AzureFileListing:
    """Implements shared.lake.file_listing.FileListing."""

    def __init__(self, account: StorageAccount) -> None:
        self._service = blob_service(account)

    def page(self, container: str, prefix: str, after: str | None, limit: int) -> list[StoredFile]:
        """See the port."""
        if prefix.startswith("_"):
            return []
        try:
            found = self._from(container, prefix, after, limit)
            if len(found) < limit and not prefix and (after or "") < _BEHIND_UNDERSCORE:
                found += self._from(container, prefix, _BEHIND_UNDERSCORE, limit - len(found))
        except AzureError as error:
            raise StorageUnavailable(f"storage did not list {container}") from error
        return found

    def _from(self, container: str, prefix: str, start: str | None, limit: int) -> list[StoredFile]:
        """The files from `start` on, that name excepted, up to those that begin with `_`."""
        blobs = self._service.get_container_client(container).list_blobs(
            name_starts_with=prefix or None,
            results_per_page=min(limit + 1, _STORAGE_PAGE),
            start_from=start,
        )
        files = (_stored(blob) for blob in _before_underscore(blobs) if blob.name != start)
        return list(islice(files, limit))


def _before_underscore(blobs: Iterator[BlobProperties]) -> Iterator[BlobProperties]:
    for blob in blobs:
        if blob.name.startswith("_"):
            return
        yield blob


def _stored(blob: BlobProperties) -> StoredFile:
    return StoredFile(
        name=blob.name,
        size=blob.size,
        modified=blob.last_modified,
        content_type=blob.content_settings.content_type,
        tier=blob.blob_tier,
    )

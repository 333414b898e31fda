"""A lease on a blob that one host of an app holds at a time."""

import logging

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient

from devstack.host.storage import Storage, make_empty

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_SECONDS = 5.0


class HostLease:
    """Says which host is the one."""

    def __init__(self, storage: Storage, blob: str, identity: str) -> None:
        """`identity` is a UUID; hosts of different identities exclude each other."""
        self._storage = storage
        self._blob = blob
        self._id = identity

    async def hold(self) -> bool:
        """Take or renew the lease; False when another host has it or the storage does not answer."""
        try:
            await self._storage.run(self._acquire)
        except HttpResponseError as error:
            if error.status_code != 409:
                log.warning("timers: no lease: %s", str(error).splitlines()[0])
            return False
        except AzureError as error:
            log.warning("timers: no lease: %s", str(error).splitlines()[0])
            return False
        return True

    async def release(self) -> None:
        """Let another host have it now."""
        try:
            blob = self._storage.host_container.get_blob_client(self._blob)
            await self._storage.run(BlobLeaseClient(blob, self._id).release)
        except AzureError as error:
            log.info("timers: lease not released: %s", str(error).splitlines()[0])

    def _acquire(self) -> None:
        container = self._storage.host_container
        blob = container.get_blob_client(self._blob)
        try:
            blob.acquire_lease(LEASE_SECONDS, self._id)
        except ResourceNotFoundError:
            make_empty(container, self._blob)
            blob.acquire_lease(LEASE_SECONDS, self._id)

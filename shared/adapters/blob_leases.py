"""Leases on blobs: one holder at a time among all processes, freed by themselves when a holder dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobLeaseClient

from shared.adapters.blob_service import blob_service
from shared.adapters.connection import StorageAccount
from shared.platform.errors import LeaseHeld, StorageUnavailable

_POLL_SECONDS = 0.5


class HeldLease:
    """Implements shared.lake.ports.Lease; a thread renews it at every third of its length."""

    def __init__(self, client: BlobLeaseClient, name: str, seconds: int) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._valid_until = time.monotonic() + seconds
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name=f"lease-{name}", daemon=True)
        self._renewer.start()

    def check(self) -> None:
        """See the port."""
        if time.monotonic() >= self._valid_until:
            raise LeaseHeld(f"the lease {self._name} was lost")

    def end(self) -> None:
        """Stops renewing and gives the lease back."""
        self._ended.set()
        self._renewer.join()
        with suppress(AzureError):  # it lapses by itself
            self._client.release()

    def _renew(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            begun = time.monotonic()
            try:
                self._client.renew()
            except AzureError:
                continue  # `check` fails once the lease has lapsed
            self._valid_until = begun + self._seconds


class BlobLeases:
    """Implements shared.lake.ports.Leases, on one small blob for each name."""

    def __init__(self, account: StorageAccount, container: str, seconds: int) -> None:
        self._service = blob_service(account)
        self._container = container
        self._seconds = seconds

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float) -> Iterator[HeldLease]:
        """See the port."""
        lease = HeldLease(self._acquire(name, wait_seconds), name, self._seconds)
        try:
            yield lease
        finally:
            lease.end()

    def _acquire(self, name: str, wait_seconds: float) -> BlobLeaseClient:
        blob = self._service.get_blob_client(self._container, f"leases/{name}")
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                return self._try(blob)
            except ResourceExistsError:
                if time.monotonic() >= deadline:
                    raise LeaseHeld(f"another instance works on {name}", retry_after=self._seconds) from None
                time.sleep(_POLL_SECONDS)
            except AzureError as error:
                raise StorageUnavailable(f"the lease {name} could not be taken") from error

    def _try(self, blob: BlobClient) -> BlobLeaseClient:
        try:
            return blob.acquire_lease(self._seconds)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                blob.upload_blob(b"", overwrite=False)
            return blob.acquire_lease(self._seconds)

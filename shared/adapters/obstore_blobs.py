"""Blobs on Azure storage through obstore, which costs a seventh of the Azure SDK on the data path."""

from __future__ import annotations

from collections.abc import Buffer, Iterator, Sequence
from datetime import timedelta
from itertools import batched
from threading import Lock

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import AzureStore

from shared.adapters.connection import StorageAccount
from shared.lake.ports import BlobExists, BlobGone, BlobInfo, Tier
from shared.platform.errors import StorageUnavailable

_ERRORS = (BaseError, OSError)
# One request at a time: obstore would send all at once, which Azurite answers by closing connections.
_DELETED_TOGETHER = 100


class ObstoreBlobs:
    """Implements shared.lake.ports.Blobs."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account
        self._stores: dict[str, AzureStore] = {}
        self._lock = Lock()

    async def put(self, container: str, name: str, data: bytes) -> None:
        """See the port."""
        try:
            await obstore.put_async(self._store(container), name, data, use_multipart=False)
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        """See the port."""
        try:
            obstore.put(self._store(container), name, data, use_multipart=False)
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def create(self, container: str, name: str, data: Buffer, tier: Tier) -> None:
        """See the port."""
        try:
            obstore.put(
                self._store(container),
                name,
                memoryview(data).cast("B"),
                attributes={"Storage-Class": tier},
                mode="create",
                use_multipart=False,
            )
        except AlreadyExistsError as error:
            raise BlobExists(f"{container}/{name}") from error
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def get(self, container: str, name: str) -> bytes:
        """See the port."""
        try:
            return obstore.get(self._store(container), name).bytes().to_bytes()
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def get_range(self, container: str, name: str, start: int, end: int) -> bytes:
        """See the port."""
        if start >= end:
            return b""
        try:
            return obstore.get_range(self._store(container), name, start=start, end=end).to_bytes()
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """See the port."""
        # Azure lists by whole path segments; what the last one starts with is sifted here.
        folder = prefix[: prefix.rfind("/") + 1]
        try:
            for page in obstore.list(self._store(container), folder or None, chunk_size=1000):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield BlobInfo(meta["path"], meta["size"], meta["last_modified"])
        except _ERRORS as error:
            raise _translated(error, container, prefix) from error

    def delete(self, container: str, names: Sequence[str]) -> None:
        """See the port."""
        for together in batched(names, _DELETED_TOGETHER, strict=False):
            try:
                self._delete_all(container, together)
            except StorageUnavailable:
                # A bulk request is a POST, which obstore does not repeat where the connection broke.
                self._delete_all(container, together)

    def _delete_all(self, container: str, names: Sequence[str]) -> None:
        try:
            obstore.delete(self._store(container), list(names))
        except FileNotFoundError:
            # The bulk request stops telling at the first that is gone: finish one by one.
            for name in names:
                self._delete_one(container, name)
        except _ERRORS as error:
            raise _translated(error, container, names[0]) from error

    def _delete_one(self, container: str, name: str) -> None:
        try:
            obstore.delete(self._store(container), name)
        except FileNotFoundError:
            pass
        except _ERRORS as error:
            raise _translated(error, container, name) from error

    def _store(self, container: str) -> AzureStore:
        with self._lock:
            if container not in self._stores:
                self._stores[container] = _open(self._account, container)
            return self._stores[container]


def _open(account: StorageAccount, container: str) -> AzureStore:
    options: dict[str, object] = {"account_name": account.name, "endpoint": account.blob_endpoint}
    if account.key is not None:
        options["account_key"] = account.key
    else:
        from shared.adapters.identity import storage_token_provider

        options["credential_provider"] = storage_token_provider()
    return AzureStore(
        container_name=container,
        client_options={"allow_http": account.insecure, "timeout": "20s", "connect_timeout": "3s"},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
        **options,  # type: ignore[arg-type]
    )


def _translated(error: Exception, container: str, name: str) -> Exception:
    """The port's error for obstore's.

    Not a context manager: those leave a cycle behind each exception that passes, which keeps every frame of
    its callers alive, and the Arrow tables in them.
    """
    if isinstance(error, FileNotFoundError):
        if "ContainerNotFound" in str(error):
            return StorageUnavailable(f"the container {container} does not exist")
        return BlobGone(f"{container}/{name}")
    return StorageUnavailable(f"storage did not answer for {container}/{name}")

"""Blobs on Azure storage through obstore, which costs a seventh of the Azure SDK on the data path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore

from shared.adapters.connection import StorageAccount
from shared.lake.ports import BlobGone, BlobInfo
from shared.platform.errors import StorageUnavailable


class ObstoreBlobs:
    """Implements shared.lake.ports.Blobs."""

    def __init__(self, account: StorageAccount) -> None:
        self._account = account
        self._stores: dict[str, AzureStore] = {}
        self._lock = Lock()

    async def put(self, container: str, name: str, data: bytes) -> None:
        """See the port."""
        with _translated(container, name):
            await obstore.put_async(self._store(container), name, data, use_multipart=False)

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        """See the port."""
        with _translated(container, name):
            obstore.put(self._store(container), name, data, use_multipart=False)

    def get(self, container: str, name: str) -> bytes:
        """See the port."""
        with _translated(container, name):
            return obstore.get(self._store(container), name).bytes().to_bytes()

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        """See the port."""
        # Azure lists by whole path segments; what the last one starts with is sifted here.
        folder = prefix[: prefix.rfind("/") + 1]
        with _translated(container, prefix):
            for page in obstore.list(self._store(container), folder or None, chunk_size=1000):
                for meta in page:
                    if meta["path"].startswith(prefix):
                        yield BlobInfo(meta["path"], meta["size"])

    def delete(self, container: str, names: Sequence[str]) -> None:
        """See the port."""
        if not names:
            return
        try:
            with _translated(container, names[0]):
                obstore.delete(self._store(container), list(names))
        except BlobGone:
            # The bulk request stops telling at the first that is gone: finish one by one.
            for name in names:
                self._delete_one(container, name)

    def _delete_one(self, container: str, name: str) -> None:
        try:
            with _translated(container, name):
                obstore.delete(self._store(container), name)
        except BlobGone:
            pass

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


@contextmanager
def _translated(container: str, name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if "ContainerNotFound" in str(error):
            raise StorageUnavailable(f"the container {container} does not exist") from error
        raise BlobGone(f"{container}/{name}") from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"storage did not answer for {container}/{name}") from error

"""The Azure SDK's client for blobs, for what obstore does not do: leases, and listings with properties."""

from __future__ import annotations

from typing import Any

from azure.storage.blob import BlobServiceClient

from shared.adapters.connection import StorageAccount


def blob_service(account: StorageAccount) -> BlobServiceClient:
    """A client that gives up within the seconds that a lease lasts."""
    # The SDK would wait 15 s and more between its tries: as long as a lease lasts.
    options: dict[str, Any] = {
        "connection_timeout": 3,
        "read_timeout": 5,
        "retry_total": 2,
        "initial_backoff": 1,
        "increment_base": 2,
        "random_jitter_range": 0,
    }
    if account.connection_string is not None:
        return BlobServiceClient.from_connection_string(account.connection_string, **options)
    from shared.adapters.identity import credential

    return BlobServiceClient(account.blob_endpoint, credential=credential(), **options)

"""Messages in Azure Storage queues, encoded as the Functions queue trigger reads them (base64)."""

from __future__ import annotations

from threading import Lock
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64EncodePolicy

from shared.adapters.connection import StorageAccount
from shared.platform.errors import StorageUnavailable

# A message that nobody takes stays: what it stands for is in a table, and handled once.
_FOR_EVER = -1


class QueueStorage:
    """Implements shared.platform.queues.Queues."""

    def __init__(self, account: StorageAccount) -> None:
        self._service = _service(account)
        self._clients: dict[str, QueueClient] = {}
        self._lock = Lock()

    def send(self, queue: str, text: str, *, delay_seconds: int = 0) -> None:
        """See the port."""
        try:
            self._client(queue).send_message(
                text, visibility_timeout=delay_seconds, time_to_live=_FOR_EVER, timeout=10
            )
        except AzureError as error:
            raise StorageUnavailable(f"storage did not take a message for the queue {queue}") from error

    def _client(self, queue: str) -> QueueClient:
        with self._lock:
            if queue not in self._clients:
                self._clients[queue] = self._service.get_queue_client(
                    queue, message_encode_policy=TextBase64EncodePolicy()
                )
            return self._clients[queue]


def _service(account: StorageAccount) -> QueueServiceClient:
    # The SDK would wait 15 s and more between its tries.
    options: dict[str, Any] = {
        "connection_timeout": 3,
        "read_timeout": 10,
        "retry_total": 1,
        "initial_backoff": 1,
        "increment_base": 2,
        "random_jitter_range": 0,
    }
    if account.connection_string is not None:
        return QueueServiceClient.from_connection_string(account.connection_string, **options)
    from shared.adapters.identity import credential

    return QueueServiceClient(account.queue_endpoint, credential=credential(), **options)

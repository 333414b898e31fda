"""Azure Storage behind triggers and host state: connections by setting name, calls off the event loop."""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devstack.host.errors import SettingError

HOST_STORAGE = "AzureWebJobsStorage"

_CONTAINER = "azure-webjobs-hosts"
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
)


class Storage:
    """Clients for the accounts that the app's settings name.

    The SDK's clients block, so they run on threads of the host's own: those of the app stay free.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="host-storage")

    async def run[Result](self, call: Callable[..., Result], *args: object, **kwargs: object) -> Result:
        """The result of a blocking call."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))

    def queue(self, name: str, connection: str) -> QueueClient:
        """A queue of the account behind the app setting `connection`; raises SettingError."""
        return _queue_client(self._connection_string(connection or HOST_STORAGE), name)

    @cached_property
    def host_container(self) -> ContainerClient:
        """Where hosts keep their state; raises SettingError."""
        return ContainerClient.from_connection_string(self._connection_string(HOST_STORAGE), _CONTAINER)

    def _connection_string(self, name: str) -> str:
        found = self._settings.get(name) or self._settings.get(f"AzureWebJobs{name}")
        if not found:
            raise SettingError(f"there is no app setting {name}, the connection string of a storage account")
        return _EMULATOR if found.strip().lower() == "usedevelopmentstorage=true" else found


@cache
def _queue_client(connection_string: str, name: str) -> QueueClient:
    return QueueClient.from_connection_string(connection_string, name)


def send_text(queue: QueueClient, text: str) -> None:
    """Send the text as it is, making the queue when there is none."""
    try:
        queue.send_message(text)
    except ResourceNotFoundError:
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        queue.send_message(text)


def upload(container: ContainerClient, blob: str, content: bytes) -> None:
    """Write the blob, making its container when there is none."""
    try:
        container.upload_blob(blob, content, overwrite=True)
    except ResourceNotFoundError:
        _make_container(container)
        container.upload_blob(blob, content, overwrite=True)


def make_empty(container: ContainerClient, blob: str) -> None:
    """Make the blob and its container where they are not there yet."""
    _make_container(container)
    with contextlib.suppress(ResourceExistsError):
        container.upload_blob(blob, b"", overwrite=False)


def _make_container(container: ContainerClient) -> None:
    with contextlib.suppress(ResourceExistsError):
        container.create_container()


def encode_message(body: bytes, base64_encoded: bool) -> str:
    """A queue message's text for a body."""
    return base64.b64encode(body).decode() if base64_encoded else body.decode("utf-8", "replace")


def decode_message(text: str, base64_encoded: bool) -> bytes:
    """A queue message's body; raises ValueError when it is no base64 though it should be."""
    return base64.b64decode(text, validate=True) if base64_encoded else text.encode()

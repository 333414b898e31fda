"""A place of a test's own in the storage account and broker: the same containers and topics, prefixed."""

from __future__ import annotations

from collections.abc import Buffer, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobLeaseClient, BlobServiceClient

from devstack.provision import make_containers
from shared.adapters.blob_leases import BlobLeases
from shared.adapters.connection import StorageAccount
from shared.adapters.delta_lake import DeltaLake, DeltaLakeTable
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.ingest.ports import Hubs
from shared.lake.ports import BlobInfo, Tier
from shared.streams import StreamDefinition, all_containers
from shared.streams.models import SYSTEM_CONTAINER


def account_of(connection_string: str) -> StorageAccount:
    """The storage account of the run."""
    parts = dict(part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    return StorageAccount(parts["AccountName"], parts["BlobEndpoint"], parts["AccountKey"], connection_string)


class Place:
    """Real adapters in a namespace of their own; `prefix` starts each container's name."""

    def __init__(self, connection_string: str, prefix: str) -> None:
        self.connection_string = connection_string
        self.prefix = prefix
        self.account = account_of(connection_string)

    def make(self) -> Place:
        """Makes the containers."""
        make_containers(self.connection_string, [self.container(name) for name in all_containers()])
        return self

    def container(self, name: str) -> str:
        """The name of this place's container that stands for `name`."""
        return f"{self.prefix}-{name}"

    def stream(self, stream: StreamDefinition) -> StreamDefinition:
        """`stream`, in this place's container."""
        return replace(stream, container=self.container(stream.container))

    def blobs(self) -> PlacedBlobs:
        """The blobs, as a new process would see them."""
        return PlacedBlobs(self)

    def lake(self) -> PlacedLake:
        """The tables, as a new process would see them."""
        return PlacedLake(self)

    def leases(self, seconds: int = 15) -> BlobLeases:
        """The leases."""
        return BlobLeases(self.account, self.container(SYSTEM_CONTAINER), seconds)

    def break_leases(self) -> None:
        """Ends the leases of holders that died, which would lapse by themselves in time."""
        with BlobServiceClient.from_connection_string(self.connection_string) as service:
            container = service.get_container_client(self.container(SYSTEM_CONTAINER))
            for blob in container.list_blobs("leases/"):
                with suppress(HttpResponseError):  # it is not held
                    BlobLeaseClient(container.get_blob_client(blob.name)).break_lease(0)


class PlacedBlobs:
    """Implements shared.lake.ports.Blobs in a place."""

    def __init__(self, place: Place) -> None:
        self._blobs = ObstoreBlobs(place.account)
        self._in = place.container

    async def put(self, container: str, name: str, data: bytes) -> None:
        await self._blobs.put(self._in(container), name, data)

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        self._blobs.put_blocking(self._in(container), name, data)

    def create(self, container: str, name: str, data: Buffer, tier: Tier) -> None:
        self._blobs.create(self._in(container), name, data, tier)

    def get(self, container: str, name: str) -> bytes:
        return self._blobs.get(self._in(container), name)

    def get_range(self, container: str, name: str, start: int, end: int) -> bytes:
        return self._blobs.get_range(self._in(container), name, start, end)

    def list(self, container: str, prefix: str) -> Iterable[BlobInfo]:
        return self._blobs.list(self._in(container), prefix)

    def delete(self, container: str, names: Sequence[str]) -> None:
        self._blobs.delete(self._in(container), names)


class PlacedLake:
    """Implements shared.lake.ports.Lake in a place."""

    def __init__(self, place: Place) -> None:
        self._lake = DeltaLake(place.account, ObstoreBlobs(place.account), identity={})
        self._place = place

    def table(self, stream: StreamDefinition) -> DeltaLakeTable:
        return self._lake.table(self._place.stream(stream))


class PlacedHubs:
    """Implements shared.ingest.ports.Hubs over topics with a prefix."""

    def __init__(self, hubs: Hubs, prefix: str) -> None:
        self._hubs = hubs
        self._prefix = prefix

    def identity(self, topic: str) -> str:
        return self._hubs.identity(f"{self._prefix}.{topic}")

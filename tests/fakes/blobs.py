"""Blobs in memory."""

from __future__ import annotations

from collections.abc import Buffer, Iterator, Sequence
from datetime import datetime
from threading import Lock

from shared.lake.ports import BlobExists, BlobGone, BlobInfo, Tier
from shared.platform.clock import Clock, utc_now


class MemoryBlobs:
    """Implements shared.lake.ports.Blobs; every container exists. `clock` is storage's own."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self.content: dict[tuple[str, str], bytes] = {}
        self.modified: dict[tuple[str, str], datetime] = {}
        self.tiers: dict[tuple[str, str], Tier] = {}
        self._clock = clock
        self._lock = Lock()

    async def put(self, container: str, name: str, data: bytes) -> None:
        self.put_blocking(container, name, data)

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        with self._lock:
            self.content[container, name] = bytes(data)
            self.modified[container, name] = self._clock()

    def create(self, container: str, name: str, data: Buffer, tier: Tier) -> None:
        with self._lock:
            if (container, name) in self.content:
                raise BlobExists(f"{container}/{name}")
            self.content[container, name] = bytes(data)
            self.modified[container, name] = self._clock()
            self.tiers[container, name] = tier

    def get(self, container: str, name: str) -> bytes:
        try:
            return self.content[container, name]
        except KeyError:
            raise BlobGone(f"{container}/{name}") from None

    def get_range(self, container: str, name: str, start: int, end: int) -> bytes:
        return self.get(container, name)[start:end]

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        for where, name in sorted(self.content):
            if where == container and name.startswith(prefix):
                content = self.content[where, name]
                yield BlobInfo(name, len(content), self.modified.get((where, name), self._clock()))

    def delete(self, container: str, names: Sequence[str]) -> None:
        for name in names:
            self.content.pop((container, name), None)

"""Blobs in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.lake.ports import BlobGone, BlobInfo


class MemoryBlobs:
    """Implements shared.lake.ports.Blobs; every container exists."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], bytes] = {}

    async def put(self, container: str, name: str, data: bytes) -> None:
        self.put_blocking(container, name, data)

    def put_blocking(self, container: str, name: str, data: bytes) -> None:
        self.content[container, name] = bytes(data)

    def get(self, container: str, name: str) -> bytes:
        try:
            return self.content[container, name]
        except KeyError:
            raise BlobGone(f"{container}/{name}") from None

    def list(self, container: str, prefix: str) -> Iterator[BlobInfo]:
        for where, name in sorted(self.content):
            if where == container and name.startswith(prefix):
                yield BlobInfo(name, len(self.content[where, name]))

    def delete(self, container: str, names: Sequence[str]) -> None:
        for name in names:
            self.content.pop((container, name), None)

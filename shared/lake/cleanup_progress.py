"""How far the clean-up of a stream has come, kept in a small blob of its own."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.lake.ports import BlobGone, Blobs
from shared.streams import StreamDefinition
from shared.streams.models import SYSTEM_CONTAINER


class CleanupProgress(msgspec.Struct, frozen=True):
    """`version`: what entries of the log up to this one took out of the table is deleted. `searched`: when
    storage was last searched for files that no entry names."""

    version: int = -1
    searched: datetime | None = None


class ProgressStore:
    """Keeps the progress; without it, work is done again that does no harm."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def read(self, stream: StreamDefinition) -> CleanupProgress:
        """The progress of `stream`. Blocks."""
        try:
            return msgspec.json.decode(self._blobs.get(SYSTEM_CONTAINER, _name(stream)), type=CleanupProgress)
        except (BlobGone, msgspec.MsgspecError):
            return CleanupProgress()

    def write(self, stream: StreamDefinition, progress: CleanupProgress) -> None:
        """Keeps it. Blocks."""
        self._blobs.put_blocking(SYSTEM_CONTAINER, _name(stream), msgspec.json.encode(progress))


def _name(stream: StreamDefinition) -> str:
    return f"cleanup/{stream.name}.json"

"""What the entries of a Delta log took out of its table, read from the entries themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import msgspec

from shared.lake.ports import BlobGone, BlobInfo, Blobs, Removals

_LOG = "_delta_log/"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Remove(msgspec.Struct, rename="camel"):
    path: str
    size: int | None = None
    deletion_timestamp: int | None = None


class _Line(msgspec.Struct):
    remove: _Remove | None = None


_decode_lines = msgspec.json.Decoder(_Line).decode_lines


def removals(blobs: Blobs, container: str, after: int, to: int) -> Iterator[Removals]:
    """See LakeTable.removals."""
    version: int | None = after + 1
    while version is not None and version <= to:
        try:
            entry = blobs.get(container, f"{_LOG}{version:020}.json")
        except BlobGone:
            version = _first_entry(blobs, container, version + 1)
            continue
        removed = [line.remove for line in _decode_lines(entry) if line.remove is not None]
        if removed:
            at = max(remove.deletion_timestamp or 0 for remove in removed)
            yield Removals(
                version,
                _EPOCH + timedelta(milliseconds=at),
                tuple(BlobInfo(unquote(remove.path), remove.size or 0) for remove in removed),
            )
        version += 1


def _first_entry(blobs: Blobs, container: str, lowest: int) -> int | None:
    """The first version from `lowest` on whose entry is there."""
    for info in blobs.list(container, _LOG):
        name, _, kind = info.name.removeprefix(_LOG).partition(".")
        if kind == "json" and name.isdigit() and int(name) >= lowest:
            return int(name)
    return None

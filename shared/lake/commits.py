"""Commits that take files out of a table: made under its lease, and only while it still names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.lake.ports import (
    REMOVALS,
    CommitConflict,
    DataFile,
    LakeTable,
    Lease,
    Leases,
    RemovedFile,
    Snapshot,
)
from shared.lake.turns import turn_at
from shared.platform.errors import LeaseHeld
from shared.streams import StreamDefinition

if TYPE_CHECKING:
    import pyarrow as pa


def replace_files(
    leases: Leases,
    stream: StreamDefinition,
    table: LakeTable,
    removed: Sequence[RemovedFile],
    added: Sequence[DataFile],
    notes: Mapping[str, Any],
    check: Callable[[], None],
) -> Snapshot:
    """Takes `removed` out of the table and puts `added`, which hold their very rows, in their place; without
    `added` the rows are dropped.

    `check` is called while it waits for its turn, and right before the commit. Raises LeaseHeld where another
    writer was first; then nothing was committed. Blocks.
    """
    with turn_at(leases, stream, check) as lease:
        snapshot = table.snapshot()
        if not named(snapshot, [file.path for file in removed]).all():
            raise LeaseHeld(f"another writer took files of {stream.name}")
        check()
        lease.check()
        try:
            return table.commit(snapshot, added, {}, removed=removed, rearranged=bool(added), notes=notes)
        except CommitConflict as conflict:
            raise LeaseHeld(f"another writer committed to {stream.name}: {conflict}") from conflict


def fence(stream: StreamDefinition, table: LakeTable, snapshot: Snapshot, lease: Lease) -> Snapshot:
    """Commits that whoever prepared the removal of files before this may not commit it any more.

    To be called in a turn at the table, with its newest snapshot.
    """
    lease.check()
    try:
        return table.commit(snapshot, (), {REMOVALS: snapshot.version + 1})
    except CommitConflict as conflict:
        raise LeaseHeld(f"another writer committed to {stream.name}: {conflict}") from conflict


def named(snapshot: Snapshot, paths: Sequence[str]) -> Any:
    """Of each of `paths` whether the snapshot names it, as a boolean array of NumPy."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    live: pa.ChunkedArray = snapshot.files()["path"]
    found = pc.is_in(pa.array(paths, pa.string()), value_set=live.combine_chunks())
    return np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)

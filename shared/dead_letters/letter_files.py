"""The committed dead letters, file by file: read, and taken out by a commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from shared.dead_letters.intents import Intent, PlannedFile, Rest
from shared.dead_letters.models import LettersWanted, keys_in
from shared.lake.data_files import cut_files
from shared.lake.ports import Blobs, CommitConflict, DataFile, Lake, LakeTable, Leases, RemovedFile, Snapshot
from shared.lake.schema import row_schema
from shared.lake.turns import turn_at
from shared.platform.errors import LeaseHeld
from shared.query.wanted import microseconds
from shared.streams import StreamDefinition
from shared.streams.dead_letters import DEAD_LETTERS

if TYPE_CHECKING:
    import pyarrow as pa


class LetterFiles:
    """The table of dead letters. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, blobs: Blobs, lake: Lake, leases: Leases, name_files: Callable[[], str]) -> None:
        """`name_files` gives a name that no file has."""
        self._blobs = blobs
        self._lake = lake
        self._leases = leases
        self._name_files = name_files

    def holding(self, wanted: LettersWanted) -> list[PlannedFile]:
        """The files that may hold wanted letters, those of a topic together, in order of time."""
        topics = wanted.topics()
        files = [
            (file["topic"], file["earliest"], file["path"], file["rows"])
            for file in self._live().to_pylist()
            if (topics is None or file["topic"] in topics) and _overlaps(wanted, file)
        ]
        return [PlannedFile(path, topic, rows) for topic, _, path, rows in sorted(files)]

    def live_paths(self) -> set[str]:
        """The paths of the files that the table names now."""
        return set(self._live()["path"].to_pylist())

    def read(self, path: str) -> pa.Table:
        """The letters in a file; raises BlobGone."""
        return _read(self._blobs.get(DEAD_LETTERS.container, path))

    def take_out(self, intent: Intent, check: Callable[[], None]) -> None:
        """Takes the letters of `intent` out of the table and puts its rest in, by one commit; to do so again
        changes nothing. `check` is called while it waits for its turn. Raises LeaseHeld."""
        table = self._lake.table(DEAD_LETTERS)
        with turn_at(self._leases, DEAD_LETTERS, check) as lease:
            snapshot = table.snapshot()
            removed, kept = self._without(intent, snapshot)
            if not removed:
                return
            files = self._write([*kept, _rest_rows(intent)])
            lease.check()
            _commit(table, snapshot, files, removed, len(intent.taken))

    def _without(self, intent: Intent, snapshot: Snapshot) -> tuple[list[RemovedFile], list[pa.Table]]:
        """The files that hold letters of `intent`, and what they hold beside these."""
        taken = set(intent.taken)
        times = [key.taken for key in taken]
        removed, kept = [], []
        for file in snapshot.files().to_pylist():
            if file["topic"] != intent.topic or file["latest"] < min(times) or file["earliest"] > max(times):
                continue
            letters = self.read(file["path"])
            stay = [key not in taken for key in keys_in(letters)]
            if not all(stay):
                partition = {name: file[name] for name in DEAD_LETTERS.partition_columns}
                removed.append(RemovedFile(file["path"], file["size"], partition))
                kept.append(letters.filter(stay))
        return removed, kept

    def _write(self, parts: Sequence[pa.Table]) -> list[DataFile]:
        import pyarrow as pa

        rows = pa.concat_tables(parts)
        return [*write_files(DEAD_LETTERS, rows, self._name_files(), self._blobs)] if rows.num_rows else []

    def _live(self) -> pa.Table:
        return self._lake.table(DEAD_LETTERS).snapshot().files()


def write_files(stream: StreamDefinition, rows: pa.Table, name: str, blobs: Blobs) -> Iterator[DataFile]:
    """Writes `rows` as data files of `stream`, and gives what a commit needs of them."""
    for file in cut_files(stream, rows, name):
        blobs.put_blocking(stream.container, file.entry.path, file.content)
        yield file.entry


def _commit(
    table: LakeTable,
    snapshot: Snapshot,
    files: Sequence[DataFile],
    removed: Sequence[RemovedFile],
    letters: int,
) -> None:
    notes = {"kind": "replay", "letters": letters}
    try:
        table.commit(snapshot, files, {}, removed=removed, notes=notes)
    except CommitConflict as conflict:
        raise LeaseHeld(f"another writer committed to {DEAD_LETTERS.name}: {conflict}") from conflict


def _overlaps(wanted: LettersWanted, file: dict[str, int]) -> bool:
    return (wanted.start is None or file["latest"] >= microseconds(wanted.start)) and (
        wanted.end is None or file["earliest"] < microseconds(wanted.end)
    )


def _read(content: bytes) -> pa.Table:
    import pyarrow.parquet as pq

    schema = row_schema(DEAD_LETTERS)
    return pq.read_table(BytesIO(content), columns=schema.names).cast(schema)


def rest_of(rows: pa.Table) -> list[Rest]:
    """Rows of new letters, as an intent keeps them."""
    fields = zip(keys_in(rows), *(rows[name].to_pylist() for name in _REST_COLUMNS), strict=True)
    return [Rest(*one) for one in fields]


_REST_COLUMNS = ("reason", "detail", "body", "items")


def _rest_rows(intent: Intent) -> pa.Table:
    import pyarrow as pa

    keys = [one.key for one in intent.rest]
    columns = {
        "topic": [key.topic for key in keys],
        **{name: [getattr(one, name) for one in intent.rest] for name in _REST_COLUMNS},
        "ingestion_time": [key.taken for key in keys],
        "_partition": [key.partition for key in keys],
        "_seq": [key.seq for key in keys],
        "_idx": [key.idx for key in keys],
    }
    schema = row_schema(DEAD_LETTERS)
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)

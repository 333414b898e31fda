"""What a table holds and what was done to it, folded out of the entries of its Delta log.

Each entry says which files it adds and takes out, which `txn` it moves and, in the notes of Floe's own
commits, what it was for. Added up one after the other they tell the table's size without reading its list of
files, and totals that are exact whoever is killed when: a total and what it counts stand in the same entry.

A summary grows with keys (assets), sources and kinds of notes, never with files.
"""

from __future__ import annotations

from typing import Any

import msgspec

# Notes that count by topic.
_BY_TOPIC = ("messages", "alone")


class Share(msgspec.Struct, array_like=True, frozen=True):
    """Live files of one key, and their bytes."""

    files: int = 0
    bytes: int = 0


class LastCommit(msgspec.Struct, array_like=True, frozen=True):
    """The newest entry with notes: its version, when it was made (ms since 1970), and of its notes the kind
    and the rows, None where they name none."""

    version: int
    at: int | None
    kind: str
    rows: int | None


class TableSummary(msgspec.Struct, kw_only=True):
    """A table at `version`, -1 where there is none.

    `done[kind]` adds up the notes of one kind (`flush`, `upload`, `retention`, …): `commits`, and each whole
    number that they name, such as `rows` and `bytes`. `messages` counts by topic the messages of which rows
    were committed; `last_message` is when the broker took the newest of them (µs since 1970). In the table of
    dead letters `alone` counts those that gave no row of their own stream. `last_commit` is None where no
    entry with notes was folded since summaries tell of it.
    `keys` is None where there are too many to keep. `progress` has every `txn`; `whole` says that no entry is
    missing, so that an id which is not in it was never set. `exact` is false when an entry left open what it
    did to the files; they are then counted in the table itself.
    """

    version: int = -1
    table: str = ""
    files: int = 0
    bytes: int = 0
    keys: dict[str, Share] | None = {}
    done: dict[str, dict[str, int]] = {}
    messages: dict[str, int] = {}
    alone: dict[str, int] = {}
    last_message: int | None = None
    last_commit: LastCommit | None = None
    progress: dict[str, int] = {}
    whole: bool = True
    exact: bool = True

    def total(self, kind: str, noun: str) -> int:
        """The sum of `noun` over all notes of `kind`; 0 where there are none."""
        return self.done.get(kind, {}).get(noun, 0)

    def copy(self) -> TableSummary:
        """The same, unmoved by what is folded into this one later."""
        return msgspec.structs.replace(
            self,
            keys=None if self.keys is None else dict(self.keys),
            done={kind: dict(sums) for kind, sums in self.done.items()},
            messages=dict(self.messages),
            alone=dict(self.alone),
            progress=dict(self.progress),
        )


def fold(summary: TableSummary, entry: bytes, key_column: str) -> None:
    """Moves `summary` on by the next entry of the log (the content of its JSON file)."""
    try:
        lines = _decode_lines(entry)
    except msgspec.ValidationError:  # of another writer, who has its own way with what Floe does not need
        lines = _decode_transactions(entry)
        summary.exact = False
    removes = any(line.remove is not None for line in lines)
    for line in lines:
        if line.add is not None:
            # Added as old data while nothing is taken out: the file may stand in the table already.
            summary.exact &= line.add.data_change or removes
            _count(summary, line.add, key_column, 1)
        elif line.remove is not None:
            _count(summary, line.remove, key_column, -1)
        elif line.txn is not None:
            summary.progress[line.txn.app_id] = line.txn.version
        elif line.commit_info is not None and isinstance(line.commit_info.floe, dict):
            _note(summary, line.commit_info.floe)
            summary.last_commit = _last(summary.version + 1, line.commit_info)
        elif line.metadata is not None:
            summary.table = line.metadata.id
    summary.version += 1


def _count(summary: TableSummary, file: _File, key_column: str, sign: int) -> None:
    if file.size is None or file.partition_values is None:
        summary.exact = False
        return
    summary.files += sign
    summary.bytes += sign * file.size
    if summary.keys is None:
        return
    key = file.partition_values.get(key_column) or ""
    before = summary.keys.get(key, Share())
    share = Share(before.files + sign, before.bytes + sign * file.size)
    if share.files:
        summary.keys[key] = share
    else:
        summary.keys.pop(key, None)


def _note(summary: TableSummary, notes: dict[str, Any]) -> None:
    done = summary.done.setdefault(str(notes.get("kind", "other")), {})
    done["commits"] = done.get("commits", 0) + 1
    for noun, count in notes.items():
        if noun in _BY_TOPIC and isinstance(count, dict):
            _add_up(getattr(summary, noun), count)
        elif noun != "last_message":
            _add_up(done, {noun: count})
        elif type(count) is int:
            summary.last_message = max(summary.last_message or count, count)


def _last(version: int, made: _CommitInfo) -> LastCommit:
    rows = made.floe.get("rows")
    return LastCommit(
        version, made.timestamp, str(made.floe.get("kind", "other")), rows if type(rows) is int else None
    )


def _add_up(sums: dict[str, int], counts: dict[str, Any]) -> None:
    for name, count in counts.items():
        if type(count) is int:
            sums[name] = sums.get(name, 0) + count


class _File(msgspec.Struct, rename="camel"):
    """An `add` or `remove`; others than delta-rs may leave out size and partition of what they remove."""

    size: int | None = None
    partition_values: dict[str, str | None] | None = None
    data_change: bool = True


class _Txn(msgspec.Struct, rename="camel"):
    app_id: str
    version: int


class _CommitInfo(msgspec.Struct):
    floe: Any = None
    timestamp: int | None = None


class _Metadata(msgspec.Struct):
    id: str


class _TransactionLine(msgspec.Struct):
    txn: _Txn | None = None


class _Line(msgspec.Struct):
    add: _File | None = None
    remove: _File | None = None
    txn: _Txn | None = None
    commit_info: _CommitInfo | None = msgspec.field(default=None, name="commitInfo")
    metadata: _Metadata | None = msgspec.field(default=None, name="metaData")


_decode_lines = msgspec.json.Decoder(_Line).decode_lines
_only_transactions = msgspec.json.Decoder(_TransactionLine).decode_lines


def _decode_transactions(entry: bytes) -> list[_Line]:
    return [_Line(txn=line.txn) for line in _only_transactions(entry)]

"""Delta tables in memory: a list of commits for each container."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import pyarrow as pa

from shared.lake.ports import (
    NO_NOTES,
    REMOVALS,
    BlobInfo,
    CommitConflict,
    DataFile,
    Removals,
    RemovedFile,
    Snapshot,
)
from shared.lake.summary import LastCommit, Share, TableSummary
from shared.platform.clock import Clock, utc_now
from shared.query.wanted import microseconds
from shared.streams import StreamDefinition


@dataclass(frozen=True)
class Commit:
    """What one commit added, took out and set."""

    files: tuple[DataFile, ...]
    progress: Mapping[str, int]
    removed: frozenset[str] = frozenset()
    notes: Mapping[str, Any] = NO_NOTES
    at: datetime = field(default_factory=utc_now)


@dataclass
class Log:
    """The commits of one table; version n is the n-th, from 0. `removed_files` is what it was last told."""

    commits: list[Commit] = field(default_factory=list)
    removed_files: timedelta | None = None
    lock: Lock = field(default_factory=Lock)


class MemoryLake:
    """Implements shared.lake.ports.Lake; a second one over the same `logs` is another process."""

    def __init__(self, logs: dict[str, Log] | None = None, clock: Clock = utc_now) -> None:
        self.logs: dict[str, Log] = {} if logs is None else logs
        self._clock = clock

    def table(self, stream: StreamDefinition) -> MemoryTable:
        return MemoryTable(stream, self.logs.setdefault(stream.container, Log()), self._clock)


class MemoryTable:
    """Implements shared.lake.ports.LakeTable."""

    def __init__(self, stream: StreamDefinition, log: Log, clock: Clock) -> None:
        self._stream = stream
        self._log = log
        self._clock = clock

    def snapshot(self, app_ids: Iterable[str] = ()) -> MemorySnapshot:
        return MemorySnapshot(self._stream, self._log.commits[:], app_ids)

    def commit(
        self,
        base: Snapshot,
        files: Sequence[DataFile],
        progress: Mapping[str, int],
        *,
        removed: Sequence[RemovedFile] = (),
        rearranged: bool = False,
        notes: Mapping[str, Any] = NO_NOTES,
    ) -> MemorySnapshot:
        taken = frozenset(file.path for file in removed)
        if taken:
            progress = {**progress, REMOVALS: base.version + 1}
        with self._log.lock:
            for later in self._log.commits[base.version + 1 :]:
                if later.progress.keys() & progress.keys():
                    raise CommitConflict(f"version {base.version} was moved on from")
            self._log.commits.append(Commit(tuple(files), dict(progress), taken, dict(notes), self._clock()))
        return self.snapshot(progress)

    def summary(self, app_ids: Iterable[str] = ()) -> TableSummary:
        return _summarised(self._stream, self._log.commits[:])

    def cover(self) -> int:
        return len(self._log.commits) - 1

    def removals(self, after: int, to: int) -> Iterable[Removals]:
        entries = enumerate(self._log.commits[: to + 1])
        known = {file.path: file.size for commit in self._log.commits for file in commit.files}
        for version, commit in entries:
            if version > after and commit.removed:
                infos = tuple(BlobInfo(path, known[path]) for path in sorted(commit.removed))
                yield Removals(version, commit.at, infos)

    def trim(self, removed_files: timedelta) -> None:
        self._log.removed_files = removed_files


class MemorySnapshot:
    """Implements shared.lake.ports.Snapshot but for `select`, which needs DataFusion."""

    def __init__(self, stream: StreamDefinition, commits: list[Commit], app_ids: Iterable[str]) -> None:
        self._stream = stream
        self._commits = commits
        self._app_ids = frozenset(app_ids)
        self.version = len(commits) - 1

    def progress(self, app_id: str) -> int:
        if app_id not in self._app_ids:
            raise KeyError(app_id)
        reached = [commit.progress[app_id] for commit in self._commits if app_id in commit.progress]
        return reached[-1] if reached else -1

    def files(self) -> pa.Table:
        live: dict[str, DataFile] = {}
        for commit in self._commits:
            live = {path: file for path, file in live.items() if path not in commit.removed}
            live |= {file.path: file for file in commit.files}
        files = [*live.values()]
        statistics = [json.loads(file.statistics) for file in files]
        time = self._stream.time_column
        columns: dict[str, list[object]] = {
            "path": [file.path for file in files],
            "size": [file.size for file in files],
            "rows": [file.rows for file in files],
            "earliest": [_microseconds(entry["minValues"][time]) for entry in statistics],
            "latest": [_microseconds(entry["maxValues"][time]) for entry in statistics],
        }
        kinds = dict.fromkeys(columns, pa.int64()) | {"path": pa.string()}
        for key in self._stream.partition_columns:
            columns[key] = [file.partition[key] for file in files]
            kinds[key] = pa.string()
        if (text := self._stream.file_column) is not None:
            for name, bound in (("lowest", "minValues"), ("highest", "maxValues")):
                columns[name] = [entry[bound].get(text) for entry in statistics]
                kinds[name] = pa.string()
        return pa.table(columns, schema=pa.schema(list(kinds.items())))

    def select(self, sql: str) -> pa.Table:
        raise NotImplementedError("queries are tested on the real lake")


def _summarised(stream: StreamDefinition, commits: Sequence[Commit]) -> TableSummary:
    summary = TableSummary(version=len(commits) - 1)
    live: dict[str, DataFile] = {}
    for version, commit in enumerate(commits):
        live = {path: file for path, file in live.items() if path not in commit.removed}
        live |= {file.path: file for file in commit.files}
        summary.progress.update(commit.progress)
        if commit.notes:
            made = int(commit.at.timestamp() * 1000)
            summary.last_commit = LastCommit(version, made, commit.notes["kind"], commit.notes.get("rows"))
            done = summary.done.setdefault(commit.notes["kind"], {"commits": 0})
            done["commits"] += 1
            for noun, count in commit.notes.items():
                if noun not in ("kind", "messages", "alone", "last_message"):
                    done[noun] = done.get(noun, 0) + count
            for topic, count in commit.notes.get("messages", {}).items():
                summary.messages[topic] = summary.messages.get(topic, 0) + count
            for topic, count in commit.notes.get("alone", {}).items():
                summary.alone[topic] = summary.alone.get(topic, 0) + count
            if "last_message" in commit.notes:
                summary.last_message = max(summary.last_message or 0, commit.notes["last_message"])
    sizes = [(file.partition[stream.key_column], file.size) for file in live.values()]
    summary.files, summary.bytes = len(sizes), sum(size for _, size in sizes)
    summary.keys = {
        key: Share(sum(k == key for k, _ in sizes), sum(size for k, size in sizes if k == key))
        for key, _ in sizes
    }
    return summary


def _microseconds(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))

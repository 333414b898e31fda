"""Follows a table's Delta log entry by entry, and keeps what was folded out of it beside the table.

The summary is written to `_floe/summaries/` every few entries, by whoever comes past; the name tells the
version, and the content is the same whoever writes it. Whoever starts anew takes the newest one and reads the
entries after it. A summary is believed only while the log still has the very entry that it was folded up to.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec

from shared.lake.ports import BlobGone, Blobs
from shared.lake.summary import TableSummary, fold
from shared.platform.errors import StorageUnavailable
from shared.platform.logs import get_log

_log = get_log("lake")

FOLDER = "_floe/summaries/"
_LOG = "_delta_log/"
# A summary is kept this often, in entries, so that nobody has more than these to read when it starts.
EVERY = 16
# A summary larger than this (bytes) is kept without its keys: some 250,000 of twenty letters.
MAX_BYTES = 16 * 2**20
# Kept summaries beside the newest one, in case it cannot be read.
_SPARE = 2
# Entries that are read at the same time by whoever is far behind.
_PARALLEL = 16
# Expired entries are removed; whoever has not looked for this long (seconds) starts anew.
STALE_SECONDS = 3600.0
# Changes with what the fold counts: summaries of another form are not read.
_FORM = 1


class LogCut(Exception):
    """The entries that are there do not lead to the newest version: the table itself must be counted."""


class _Kept(msgspec.Struct):
    """A kept summary; `entry` is the digest of the entry of its version."""

    form: int
    entry: str
    summary: TableSummary


class TableLog:
    """The log of one table. Not for several threads at once."""

    def __init__(self, container: str, key_column: str, blobs: Blobs) -> None:
        self._container = container
        self._key_column = key_column
        self._blobs = blobs
        self._entry = ""
        self._kept = -1
        self._looked = float("-inf")
        self.summary = TableSummary()

    @property
    def version(self) -> int:
        """Up to which entry the log was read."""
        return self.summary.version

    def follow(self) -> None:
        """Reads up to the newest entry.

        Raises LogCut when neither the log nor a kept summary tells what was before its first entry.
        """
        if time.monotonic() - self._looked > STALE_SECONDS:
            self._start()
        self._read_on()
        self._looked = time.monotonic()
        if self.version - self._kept >= EVERY and self.summary.exact:
            self.keep()

    def restart(self, counted: TableSummary) -> None:
        """Goes on from what was counted in the table itself, since the log was cut before that version.

        Totals go on from the newest kept summary of the same table: the entries after it are lost to them.
        """
        last = next(
            (kept.summary for kept in self._candidates() if kept.summary.table == counted.table), None
        )
        if last is not None:
            _log.warning("log entries are gone before they were counted", container=self._container)
            counted.done, counted.last_message = last.done, last.last_message
            counted.messages, counted.alone = last.messages, last.alone
            counted.last_commit = last.last_commit
        self._entry = _digest(self._read(counted.version))
        self.summary = counted
        self._kept = -1
        self._looked = time.monotonic()

    def keep(self) -> int:
        """Writes the summary beside the table, unless it stands there, and returns the version of the newest
        that this process wrote or read; a failure leaves it to the next."""
        if self._kept == self.version:
            return self._kept
        data = self._encoded()
        try:
            self._blobs.put_blocking(self._container, _name(self.version), data)
            self._kept = self.version
            names = [info.name for info in self._blobs.list(self._container, FOLDER)]
            # A higher version is of a table that was there before this one, or of one who is further on.
            self._blobs.delete(self._container, [n for n in names if n < _name(self.version)][:-_SPARE])
        except StorageUnavailable as error:
            _log.warning("summary not kept", container=self._container, problem=str(error))
        return self._kept

    def _encoded(self) -> bytes:
        kept = _Kept(_FORM, self._entry, self.summary)
        data = msgspec.json.encode(kept)
        if len(data) > MAX_BYTES and self.summary.keys is not None:
            _log.warning("too many keys to keep", container=self._container, keys=len(self.summary.keys))
            self.summary.keys = None
            data = msgspec.json.encode(kept)
        return data

    def _start(self) -> None:
        for kept in self._candidates():
            entry = self._read(kept.summary.version)
            if entry is not None and _digest(entry) == kept.entry:
                self.summary, self._entry, self._kept = kept.summary, kept.entry, kept.summary.version
                return
        self.summary, self._entry, self._kept = TableSummary(), "", -1
        # Without any log there is no table yet, which is known without opening one.
        if self._read(0) is None and any(True for _ in self._blobs.list(self._container, _LOG)):
            raise LogCut(self._container)

    def _candidates(self) -> Iterator[_Kept]:
        """The kept summaries that can be read, newest first."""
        for info in sorted(self._blobs.list(self._container, FOLDER), key=lambda i: i.name, reverse=True):
            try:
                kept = msgspec.json.decode(self._blobs.get(self._container, info.name), type=_Kept)
            except (BlobGone, msgspec.MsgspecError):
                continue
            if kept.form == _FORM:
                yield kept

    def _read_on(self) -> None:
        """Folds entry after entry; several are read at a time once there are many."""
        ahead = 1
        while True:
            numbers = range(self.version + 1, self.version + 1 + ahead)
            for entry in map(self._read, numbers) if ahead < 4 else self._read_many(numbers):
                if entry is None:
                    return
                fold(self.summary, entry, self._key_column)
                self._entry = _digest(entry)
            ahead = min(2 * ahead, _PARALLEL)

    def _read_many(self, numbers: range) -> list[bytes | None]:
        with ThreadPoolExecutor(_PARALLEL, "log-read") as pool:
            return list(pool.map(self._read, numbers))

    def _read(self, version: int) -> bytes | None:
        try:
            return self._blobs.get(self._container, f"{_LOG}{version:020}.json")
        except BlobGone:
            return None


def _name(version: int) -> str:
    return f"{FOLDER}{version:020}.json"


def _digest(entry: bytes | None) -> str:
    return "" if entry is None else hashlib.blake2b(entry, digest_size=16).hexdigest()

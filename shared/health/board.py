"""The notice board: short durable notes that every instance puts up and `/health` of every instance shows."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta

import msgspec

from shared.health.models import Notice
from shared.lake.ports import BlobGone, Blobs
from shared.platform.clock import Clock
from shared.streams.models import SYSTEM_CONTAINER

_log = logging.getLogger(__name__)

_NOTICES = "notices/"
_HUBS = "hubs/"
# How long each kind of notice stands after it was last renewed, and whether it turns the health degraded.
_STANDS = {"bad_batch": timedelta(minutes=5), "hub_made_anew": timedelta(hours=24)}
_WARNINGS = frozenset({"bad_batch"})
# A stream of bad batches renews its notice no more often than this.
_RENEWAL = timedelta(seconds=10)


class _Note(msgspec.Struct):
    kind: str
    subject: str
    message: str
    since: datetime
    renewed: datetime


class _Hub(msgspec.Struct):
    generation: str
    since: datetime


class NoticeBoard:
    """Implements Notices and Generations of shared.ingest.ports, on small blobs."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock
        self._posted: dict[tuple[str, str], datetime] = {}

    def post(self, kind: str, subject: str, message: str) -> None:
        """See the port."""
        now = self._clock()
        last = self._posted.get((kind, subject))
        if last is not None and now - last < _RENEWAL:
            return
        name = f"{_NOTICES}{kind}/{_file(subject)}"
        before = self._read(name, _Note)
        standing = before is not None and now - before.renewed < _STANDS[kind]
        since = before.since if before is not None and standing else now
        note = _Note(kind, subject, message, since, now)
        self._blobs.put_blocking(SYSTEM_CONTAINER, name, msgspec.json.encode(note))
        self._posted[kind, subject] = now

    def standing(self) -> list[Notice]:
        """The notices that still stand. Blocks; raises StorageUnavailable."""
        notes = [self._read(info.name, _Note) for info in self._blobs.list(SYSTEM_CONTAINER, _NOTICES)]
        now = self._clock()
        return [
            Notice(
                kind=note.kind,
                subject=note.subject,
                message=note.message,
                since=note.since,
                severity="warning" if note.kind in _WARNINGS else "info",
            )
            for note in notes
            if note is not None and now - note.renewed < _STANDS[note.kind]
        ]

    def seen(self, topic: str, generation: str) -> str | None:
        """See the port."""
        name = f"{_HUBS}{_file(topic)}"
        before = self._read(name, _Hub)
        if before is not None and before.generation == generation:
            return None
        hub = _Hub(generation, self._clock())
        self._blobs.put_blocking(SYSTEM_CONTAINER, name, msgspec.json.encode(hub))
        return None if before is None else before.generation

    def _read[T](self, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(self._blobs.get(SYSTEM_CONTAINER, name), type=kind)
        except BlobGone:
            return None
        except msgspec.MsgspecError:
            _log.warning("a note that nobody can read is left out: %s", name)
            return None


def _file(subject: str) -> str:
    """A file's name for any subject: readable, and no two alike."""
    readable = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in subject)[:64]
    return f"{readable}-{hashlib.blake2b(subject.encode(), digest_size=4).hexdigest()}.json"

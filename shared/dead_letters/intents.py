"""What a replay is about to do, written down before it does it.

The rows of a portion are committed to one table and its letters taken out of another. In between anything
may die, and whoever goes on must know which letters became rows, for the decoder may be another by then.
"""

from __future__ import annotations

import msgspec

from shared.dead_letters.counts import Counts
from shared.dead_letters.models import LetterKey
from shared.lake.ports import BlobGone, Blobs
from shared.streams.models import SYSTEM_CONTAINER

_INTENTS = "replays/intents/"
_PLANS = "replays/plans/"


class Rest(msgspec.Struct, frozen=True):
    """A letter that takes the place of one of which only some items became rows."""

    key: LetterKey
    reason: str
    detail: str | None
    body: bytes
    items: int


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """A portion of a replay: it holds once `version` stands as the stream's progress of replays.

    `taken` letters are to leave the table of dead letters, and `rest` to come in the same commit. `counts`
    are the job's to add once that is done, and then it goes on with the planned file `next`. `digest` is what
    the table that follows the stream's is to count in (see `Follower`), in Arrow's stream format; empty where
    there is none.
    """

    job: str
    stream: str
    topic: str
    version: int
    taken: list[LetterKey]
    rest: list[Rest]
    counts: Counts
    next: int
    digest: bytes = b""

    @property
    def name(self) -> str:
        """The blob's name; different for each attempt at a portion."""
        return f"{_INTENTS}{self.stream}/{self.version:020}.json"


class PlannedFile(msgspec.Struct, array_like=True, frozen=True):
    """A data file of dead letters to go through: its path, topic and number of letters."""

    path: str
    topic: str
    rows: int


class ReplayStore:
    """Intents and plans, in blobs. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def intents(self) -> list[Intent]:
        """Those that were not settled, oldest first."""
        names = [info.name for info in self._blobs.list(SYSTEM_CONTAINER, _INTENTS)]
        found = []
        for name in names:
            try:
                found.append(_decode_intent(self._blobs.get(SYSTEM_CONTAINER, name)))
            except BlobGone:  # somebody else settled it
                continue
        return sorted(found, key=lambda intent: intent.version)

    def write(self, intent: Intent) -> None:
        """Makes the intent durable."""
        self._blobs.put_blocking(SYSTEM_CONTAINER, intent.name, msgspec.json.encode(intent))

    def settle(self, intent: Intent) -> None:
        """Forgets the intent: it is done, or will never be."""
        self._blobs.delete(SYSTEM_CONTAINER, [intent.name])

    def plan(self, job: str) -> list[PlannedFile] | None:
        """The files that a job goes through, in order; None where it has not planned yet."""
        try:
            return _decode_plan(self._blobs.get(SYSTEM_CONTAINER, f"{_PLANS}{job}.json"))
        except BlobGone:
            return None

    def write_plan(self, job: str, files: list[PlannedFile]) -> None:
        """Makes the plan durable; those of jobs that failed for good go."""
        left = [info.name for info in self._blobs.list(SYSTEM_CONTAINER, _PLANS)]
        self._blobs.delete(SYSTEM_CONTAINER, left)
        self._blobs.put_blocking(SYSTEM_CONTAINER, f"{_PLANS}{job}.json", msgspec.json.encode(files))

    def forget_plan(self, job: str) -> None:
        """Deletes the plan."""
        self._blobs.delete(SYSTEM_CONTAINER, [f"{_PLANS}{job}.json"])


_decode_intent = msgspec.json.Decoder(Intent).decode
_decode_plan = msgspec.json.Decoder(list[PlannedFile]).decode

"""A portion of a replay: what is committed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.dead_letters.counts import Counts
from shared.dead_letters.intents import PlannedFile
from shared.dead_letters.models import LetterKey
from shared.dead_letters.redecode import Redecoded

if TYPE_CHECKING:
    import pyarrow as pa


class Portion:
    """Some planned files of one topic, from `plan[start]` to before `plan[end]`, and what they gave."""

    def __init__(self, plan: list[PlannedFile], start: int) -> None:
        self.end = start
        self.taken: list[LetterKey] = []
        self.rows: list[pa.RecordBatch] = []
        self.counts = Counts()
        self._plan = plan
        self._start = start
        self._bytes = 0
        self._rest: list[pa.Table] = []

    @property
    def topic(self) -> str:
        """The topic of all its letters."""
        return self._plan[self._start].topic

    def wants_more(self, files: int, size: int) -> bool:
        """Whether the next file goes with those before it: at most `files`, and not beyond `size` bytes."""
        if self.end >= len(self._plan) or self._bytes >= size or self.end - self._start >= files:
            return False
        return self._plan[self.end].topic == self.topic

    def next_file(self) -> PlannedFile:
        """Moves on by a file."""
        self.end += 1
        return self._plan[self.end - 1]

    def add(self, letters: pa.Table, found: Redecoded) -> None:
        """Counts and keeps what became of a file's letters."""
        self._bytes += letters.nbytes
        self.taken += found.taken
        self.rows += found.rows
        self._rest.append(found.rest_rows())
        self.counts.letters += letters.num_rows
        self.counts.replayed += len(found.taken)
        self.counts.rows += sum(batch.num_rows for batch in found.rows)
        for reason, count in found.still_dead.items():
            self.counts.still_dead[reason] = self.counts.still_dead.get(reason, 0) + count

    def rest(self) -> pa.Table:
        """The new letters, for items that gave no rows."""
        import pyarrow as pa

        return pa.concat_tables(self._rest)

"""Dead letters to look through: newest first, those in the buffer included, bodies only one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING

from shared.dead_letters.letter_query import (
    PREVIEW_BYTES,
    letter_of,
    letters_from,
    moment_of,
    only,
    parts,
)
from shared.dead_letters.models import Letter, LetterKey, LettersWanted, key_of
from shared.lake.ports import Snapshot
from shared.lake.segments import Segment, SegmentStore, rows_above
from shared.platform.errors import NotFound
from shared.query.history import Fresh, History
from shared.query.wanted import RowsWanted
from shared.streams.dead_letters import DEAD_LETTERS

if TYPE_CHECKING:
    import pyarrow as pa


class DeadLetters:
    """Queries over all dead letters. Every method blocks, and raises StorageUnavailable."""

    def __init__(self, history: History, segments: SegmentStore) -> None:
        self._history = history
        self._segments = segments

    def page(self, wanted: LettersWanted, after: LetterKey | None, limit: int) -> list[Letter]:
        """The newest `limit` wanted letters, of those that follow `after` in the list, with the beginnings of
        their bodies."""
        wanted_parts = parts(wanted, after)

        def read(fresh: list[Fresh], snapshot: Snapshot) -> list[Letter]:
            found = self._landed(fresh, wanted, after, limit)
            for part in wanted_parts:
                found += letters_from(snapshot, part, limit)
            return nlargest(limit, found, key=_place)

        return self._history.read(DEAD_LETTERS, read)

    def get(self, letter_id: str) -> Letter:
        """One letter with its whole body; raises NotFound, also for what was replayed since."""
        key = key_of(letter_id)
        found = None if key is None else self._history.read(DEAD_LETTERS, self._finder(key))
        if found is None:
            raise NotFound("There is no such dead letter", details={"id": letter_id})
        return found

    def _finder(self, key: LetterKey) -> Callable[[list[Fresh], Snapshot], Letter | None]:
        def find(fresh: list[Fresh], snapshot: Snapshot) -> Letter | None:
            holding = [item for item in fresh if _may_hold(item[0], key)]
            for letter in self._read(holding):
                if letter.key == key:
                    return letter
            return next(iter(letters_from(snapshot, only(key), 1, whole=True)), None)

        return find

    def _landed(
        self, fresh: Sequence[Fresh], wanted: LettersWanted, after: LetterKey | None, limit: int
    ) -> list[Letter]:
        """The newest wanted letters of the buffer; of the bodies only as much as a list shows."""
        topics = wanted.topics()
        window = RowsWanted(stream=DEAD_LETTERS, start=wanted.start, end=wanted.end)
        found: list[Letter] = []
        for item in sorted(fresh, key=lambda item: item[0].latest, reverse=True):
            segment = item[0]
            if len(found) == limit and segment.latest < found[-1].key.taken:
                break
            if topics is not None and segment.source.topic not in topics:
                continue
            if not window.overlaps(segment.earliest, segment.latest):
                continue
            found += [
                replace(letter, body=letter.body[:PREVIEW_BYTES])
                for letter in self._read([item])
                if _is_wanted(letter, wanted) and (after is None or letter.key.place < after.place)
            ]
            found = nlargest(limit, found, key=_place)
        return found

    def _read(self, fresh: Sequence[Fresh]) -> Iterator[Letter]:
        for segment, covered in fresh:
            rows: pa.RecordBatch = rows_above(self._segments.read(DEAD_LETTERS, segment), covered)
            for row in rows.to_pylist():
                yield letter_of(row, row["body"], len(row["body"]))


def _place(letter: Letter) -> tuple[int, int, int, int, str]:
    return letter.key.place


def _may_hold(segment: Segment, key: LetterKey) -> bool:
    source = segment.source
    return (source.topic, source.partition) == (key.topic, key.partition) and (
        segment.first <= key.seq <= segment.last
    )


def _is_wanted(letter: Letter, wanted: LettersWanted) -> bool:
    """Whether a letter of a wanted topic meets the other conditions."""
    taken = moment_of(letter.key.taken)
    return (
        (wanted.reason is None or letter.reason == wanted.reason)
        and (wanted.start is None or taken >= wanted.start)
        and (wanted.end is None or taken < wanted.end)
    )

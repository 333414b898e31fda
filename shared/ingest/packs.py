"""What a batch's messages gave: rows by the places they stand at, and dead letters for the rest.

A message is one JSON value or an array of them (a packed message). One bad item does not take its neighbours
along, and neighbouring bad items of one reason are one dead letter, so that garbage stays few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from shared.ingest.json_text import split_message
from shared.ingest.models import DeadLetter, MessageBatch, Reason, Rejected

if TYPE_CHECKING:
    import numpy as np

    type Vector = np.ndarray[Any, Any]

# What msgspec raises for a body that is not what was expected.
ODD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Places:
    """Where the rows of a batch stand, and what gave none."""

    def __init__(self) -> None:
        self.dead_letters: list[DeadLetter] = []
        # Rows that a message gave when it is not one row at place 0: message -> places of its rows.
        self._places: dict[int, Sequence[int]] = {}

    def place(self, message: int, places: Sequence[int]) -> None:
        """The next rows are those of `message`, at these places in it."""
        self._places[message] = places

    def reject(self, letter: DeadLetter) -> None:
        """Adds a message that gave no row at all."""
        self.dead_letters.append(letter)
        self._places[letter.message] = ()

    def positions(self, batch: MessageBatch) -> tuple[Vector, Vector]:
        """For each row the position of its message in `batch`, and its place (`_idx`) in that message."""
        import numpy as np

        messages, places = self._within(len(batch))
        if batch.starts is not None:
            places = places + np.asarray(batch.starts, np.int32)[messages]
        return messages, places

    def _within(self, messages: int) -> tuple[Vector, Vector]:
        """The same, with places counted from where each body begins."""
        import numpy as np

        if not self._places:
            return np.arange(messages), np.zeros(messages, np.int32)
        counts = np.ones(messages, np.int64)
        for message, places in self._places.items():
            counts[message] = len(places)
        parts = [np.asarray(self._places.get(message, (0,)), np.int32) for message in range(messages)]
        return np.repeat(np.arange(messages), counts), np.concatenate(parts)

    def take[Row](self, message: int, body: bytes, parse: Callable[[bytes], Row]) -> list[Row]:
        """The rows that can be taken of one message, which `parse` makes of its items; the rest becomes dead
        letters."""
        try:
            items = split_message(body)
        except Rejected as error:
            self.reject(DeadLetter(message, 0, 1, error.reason, error.message, body))
            return []
        rows: dict[int, Row] = {}
        rejected: list[_Run] = []
        for idx, item in enumerate(items):
            try:
                rows[idx] = parse(item)
            except Rejected as error:
                if rejected and rejected[-1].end == idx and rejected[-1].reason == error.reason:
                    rejected[-1].end += 1
                else:
                    rejected.append(_Run(idx, idx + 1, error.reason, error.message))
        if rows:
            self.place(message, list(rows))
            self.dead_letters += [run.letter(message, items) for run in rejected]
        else:
            first = rejected[0]
            self.reject(DeadLetter(message, 0, len(items), first.reason, first.detail, body))
        return list(rows.values())


@dataclass(slots=True)
class _Run:
    """Neighbouring items of one message, from `start` to before `end`, that were rejected for one reason."""

    start: int
    end: int
    reason: Reason
    detail: str

    def letter(self, message: int, items: list[bytes]) -> DeadLetter:
        bodies = items[self.start : self.end]
        body = bodies[0] if len(bodies) == 1 else b"[" + b",".join(bodies) + b"]"
        return DeadLetter(message, self.start, len(bodies), self.reason, self.detail, body)

"""What comes in: batches of messages, and what becomes of those that cannot become rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from shared.telemetry.origins import NO_ORIGINS, Origins

if TYPE_CHECKING:
    import numpy as np

    type Integers = Sequence[int] | np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """Messages of one partition in stream order, as columns: the i-th entries belong together.

    `sequence_numbers` ascend; `enqueued` is when the broker took each message, in microseconds since
    1970 (UTC). A message without a value (a tombstone) has an empty body. `origins` are the requests that the
    whole batch comes from. `starts`: the place in its message that each body begins at, where the bodies are
    parts of messages; their rows stand at places from there on.
    """

    topic: str
    partition: int
    bodies: Sequence[bytes]
    sequence_numbers: Integers
    enqueued: Integers
    origins: Origins = NO_ORIGINS
    starts: Integers | None = None

    def __len__(self) -> int:
        return len(self.bodies)

    def __getitem__(self, part: slice) -> MessageBatch:
        """The messages of `part`."""
        return MessageBatch(
            self.topic,
            self.partition,
            self.bodies[part],
            self.sequence_numbers[part],
            self.enqueued[part],
            self.origins,
            None if self.starts is None else self.starts[part],
        )


class Reason(StrEnum):
    """Why something became a dead letter. docs/dead-letters.md explains each to users."""

    EMPTY = "empty"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_DATA = "missing_data"
    INVALID_DATA = "invalid_data"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    INVALID_EVENT_ID = "invalid_event_id"
    INVALID_EVENT_TYPE = "invalid_event_type"
    EVENT_TYPE_MISMATCH = "event_type_mismatch"
    INVALID_TIMESTAMP = "invalid_timestamp"
    MISSING_ASSET = "missing_asset"
    INVALID_ASSET = "invalid_asset"
    MISSING_SENSOR = "missing_sensor"
    INVALID_SENSOR = "invalid_sensor"
    MISSING_VALUE = "missing_value"


class Rejected(Exception):
    """One event cannot become a row; `reason` and the message say why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Bytes that could not become rows: a whole message, or neighbouring items of a packed one.

    `message` is the position of the message in its batch, `idx` the place of the first item in the message,
    `items` how many JSON values the body holds (a run of several is written as a JSON array of them).
    """

    message: int
    idx: int
    items: int
    reason: Reason
    detail: str
    body: bytes

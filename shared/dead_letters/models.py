"""Which dead letter is which, and which ones are asked for."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from shared.streams import STREAMS

if TYPE_CHECKING:
    import pyarrow as pa

KEY_COLUMNS = ("topic", "_partition", "_seq", "_idx", "ingestion_time")


@dataclass(frozen=True, slots=True, order=True)
class LetterKey:
    """Where a dead letter stood: its message, the item of it that it begins with, and when the broker took
    the message (µs since 1970), which tells hubs of the same name apart."""

    topic: str
    partition: int
    seq: int
    idx: int
    taken: int

    @property
    def id(self) -> str:
        """The letter's name in the API, the same for as long as the letter is there."""
        place = (self.topic, self.partition, self.seq, self.idx, self.taken)
        return urlsafe_b64encode(msgspec.msgpack.encode(place)).rstrip(b"=").decode()

    @property
    def place(self) -> tuple[int, int, int, int, str]:
        """Where the letter stands in a list, which begins with the greatest."""
        return self.taken, self.seq, self.idx, self.partition, self.topic


_decode_place = msgspec.msgpack.Decoder(tuple[str, int, int, int, int], strict=True).decode
# The first and last moment that a row can have.
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999


def key_of(letter_id: str) -> LetterKey | None:
    """The letter that is called so; None for what is no letter's id."""
    try:
        key = LetterKey(*_decode_place(urlsafe_b64decode(letter_id + "=" * (-len(letter_id) % 4))))
    except (NotBase64, ValueError, msgspec.MsgspecError):
        return None
    sound = _EARLIEST <= key.taken <= _LATEST and all(
        0 <= number < 2**63 for number in (key.partition, key.seq, key.idx)
    )
    return key if sound and key.id == letter_id else None


def keys_in(letters: pa.Table | pa.RecordBatch) -> Iterator[LetterKey]:
    """The key of each row of the dead letters stream."""
    import pyarrow as pa

    columns = [letters[name] for name in KEY_COLUMNS[:-1]]
    taken = letters["ingestion_time"].cast(pa.int64())
    for row in zip(*(column.to_pylist() for column in (*columns, taken)), strict=True):
        yield LetterKey(*row)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; `body` is its beginning in a list, and all of it when it is asked for alone. `size` is
    that of the whole body, in bytes; `items` the JSON values in it."""

    key: LetterKey
    reason: str
    detail: str | None
    items: int
    size: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersWanted:
    """Which dead letters: all that meet every condition. Times are aware, `start` inclusive, `end` exclusive.

    `stream` names the stream whose topic the letter came by.
    """

    stream: str | None = None
    topic: str | None = None
    reason: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def topics(self) -> tuple[str, ...] | None:
        """The topics that letters may have come by; None where any will do."""
        if self.topic is None and self.stream is None:
            return None
        of_the_stream = [one.topics for one in STREAMS if self.stream in (None, one.name)]
        topics = {topic for topics in of_the_stream for topic in topics}
        if self.topic is None:
            return tuple(sorted(topics))
        return (self.topic,) if self.stream is None or self.topic in topics else ()

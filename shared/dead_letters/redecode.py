"""Dead letters through today's decoder, at the place in the stream that they had."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from shared.dead_letters.models import LetterKey, keys_in
from shared.ingest.dead_letter_rows import dead_letter_rows
from shared.ingest.models import DeadLetter, MessageBatch
from shared.lake.schema import row_schema
from shared.streams import StreamDefinition
from shared.streams.dead_letters import DEAD_LETTERS

if TYPE_CHECKING:
    import pyarrow as pa

_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Decoder(Protocol):
    """Decodes the messages of one topic; see shared.ingest.land."""

    def decode(self, batch: MessageBatch) -> tuple[pa.RecordBatch, list[DeadLetter]]:
        """The rows in stream order and the dead letters."""


@dataclass(slots=True)
class Redecoded:
    """What became of some dead letters of one topic.

    `rows` are in the schema of their stream. `taken` are the letters that gave any; `rest` are new letters,
    in the schema of dead letters, for those of their items that gave none. The letters that gave no row at
    all are only counted, with the others that are left, by the reason of today.
    """

    rows: list[pa.RecordBatch] = field(default_factory=list)
    taken: list[LetterKey] = field(default_factory=list)
    rest: list[pa.RecordBatch] = field(default_factory=list)
    still_dead: Counter[str] = field(default_factory=Counter)

    def rest_rows(self) -> pa.Table:
        """All new letters together."""
        import pyarrow as pa

        return pa.Table.from_batches(self.rest, row_schema(DEAD_LETTERS))


def redecode(stream: StreamDefinition, letters: pa.Table, decoder_for: Callable[[str], Decoder]) -> Redecoded:
    """`letters`, all of one topic of `stream`, decoded anew."""
    found = Redecoded()
    ordered = letters.sort_by(
        [(name, "ascending") for name in ("_partition", "ingestion_time", "_seq", "_idx")]
    )
    decoder = decoder_for(ordered["topic"][0].as_py())
    for part in _by_partition(ordered):
        _redecode_partition(part, decoder, found)
    return found


def as_message(body: bytes, idx: int, items: int) -> bytes:
    """The letter's body as a message whose items are the letter's.

    An item that is an array itself must not be taken for a pack: its items would get the places of its
    neighbours, which are rows already.
    """
    if items > 1 or (idx == 0 and not _is_other_than_a_pack_of_one(body)):
        return body
    return b"[" + body + b"]"


def _is_other_than_a_pack_of_one(body: bytes) -> bool:
    try:
        return len(_items(body)) != 1
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _by_partition(ordered: pa.Table) -> Iterator[pa.Table]:
    import pyarrow.compute as pc

    for partition in pc.unique(ordered["_partition"]).to_pylist():
        yield ordered.filter(pc.equal(ordered["_partition"], partition))


def _redecode_partition(letters: pa.Table, decoder: Decoder, found: Redecoded) -> None:
    keys = [*keys_in(letters)]
    batch = _batch(keys, letters)
    rows, rejected = decoder.decode(batch)
    gave = _which_gave(keys, rows)
    rest = [letter for letter in rejected if letter.message in gave]
    found.still_dead.update(letter.reason.value for letter in rejected)
    found.taken += [keys[message] for message in sorted(gave)]
    if rows.num_rows:
        found.rows.append(rows)
    if rest:
        moved = [replace(letter, idx=letter.idx + keys[letter.message].idx) for letter in rest]
        found.rest.append(dead_letter_rows(batch, moved))


def _batch(keys: Sequence[LetterKey], letters: pa.Table) -> MessageBatch:
    import numpy as np

    bodies: Any = zip(letters["body"].to_pylist(), keys, letters["items"].to_pylist(), strict=True)
    return MessageBatch(
        topic=keys[0].topic,
        partition=keys[0].partition,
        bodies=[as_message(body, key.idx, items) for body, key, items in bodies],
        sequence_numbers=np.array([key.seq for key in keys], np.int64),
        enqueued=np.array([key.taken for key in keys], np.int64),
        starts=np.array([key.idx for key in keys], np.int32),
    )


def _which_gave(keys: Sequence[LetterKey], rows: pa.RecordBatch) -> set[int]:
    """The letters, by their position, that gave rows: a row is of the last letter that begins before it."""
    import pyarrow as pa

    # The time tells messages apart that have one number in two hubs of the same name.
    begins = [(key.taken, key.seq, key.idx) for key in keys]
    taken = rows["ingestion_time"].cast(pa.int64())
    places = zip(taken.to_pylist(), rows["_seq"].to_pylist(), rows["_idx"].to_pylist(), strict=True)
    return {bisect_right(begins, place) - 1 for place in places}

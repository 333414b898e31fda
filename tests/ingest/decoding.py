"""What a decoder gives, by where it stands in the stream, and what holds for every decoder."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from shared.ingest.land import Decoder
from shared.ingest.models import DeadLetter
from tests.ingest.batches import batch_of, letters_by_place

type Decoded = tuple[list[dict[str, Any]], list[tuple[object, ...]]]


def decoded(decoder: Decoder, topic: str, bodies: list[bytes], first: int = 0) -> Decoded:
    """Rows with their times as numbers, and dead letters."""
    batch = batch_of(bodies, first=first, topic=topic)
    rows, letters = decoder.decode(batch)
    rows.validate(full=True)
    return _plain(rows), letters_by_place(batch, letters)


def _plain(rows: pa.RecordBatch) -> list[dict[str, Any]]:
    numbered = [
        column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(numbered, names=rows.schema.names).to_pylist()


def decoded_in_parts(decoder: Decoder, topic: str, bodies: list[bytes], data: st.DataObject) -> Decoded:
    """The same of batches that are cut anywhere."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(bodies)), max_size=3)) | {0, len(bodies)})
    rows: list[dict[str, Any]] = []
    letters: list[tuple[object, ...]] = []
    for start, end in pairwise(cuts):
        part = decoded(decoder, topic, bodies[start:end], first=start)
        rows, letters = rows + part[0], letters + part[1]
    return rows, letters


def account_for(decoder: Decoder, topic: str, bodies: list[bytes]) -> None:
    """Checks that each message is in the dead letters as a whole, or each of its items is a row or in a dead
    letter, once."""
    rows, letters = decoder.decode(batch_of(bodies, topic=topic))
    by_message: dict[int, list[DeadLetter]] = {message: [] for message in range(len(bodies))}
    for letter in letters:
        by_message[letter.message].append(letter)
    places: dict[int, list[int]] = {message: [] for message in range(len(bodies))}
    for message, idx in zip(rows["_seq"].to_pylist(), rows["_idx"].to_pylist(), strict=True):
        places[message].append(idx)
    for message, body in enumerate(bodies):
        _account_for_one(body, places[message], by_message[message])


def _account_for_one(body: bytes, places: list[int], letters: list[DeadLetter]) -> None:
    if not places:
        [letter] = letters
        assert letter.body == body
        return
    taken = sorted([*places, *(idx for x in letters for idx in range(x.idx, x.idx + x.items))])
    assert taken == list(range(len(taken))), "places are taken once each, without a gap"
    assert len(set(places)) == len(places)
    if not letters:
        packed = body.lstrip()[:1] == b"["
        assert len(taken) == (len(msgspec.json.decode(body, type=list[msgspec.Raw])) if packed else 1)
    for letter in letters:
        assert letter.items > 1 or letter.body in body

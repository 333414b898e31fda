"""Dead letters as rows of their own stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.ingest.models import DeadLetter, MessageBatch
from shared.lake.schema import row_schema
from shared.streams.dead_letters import DEAD_LETTERS

if TYPE_CHECKING:
    import pyarrow as pa


def dead_letter_rows(batch: MessageBatch, letters: Sequence[DeadLetter]) -> pa.RecordBatch:
    """`letters` of `batch` in stream order, in the schema of the dead letters stream."""
    import pyarrow as pa

    ordered = sorted(letters, key=lambda letter: (letter.message, letter.idx))
    columns = {
        "topic": [batch.topic] * len(ordered),
        "reason": [letter.reason.value for letter in ordered],
        "detail": [letter.detail for letter in ordered],
        "body": [letter.body for letter in ordered],
        "items": [letter.items for letter in ordered],
        "ingestion_time": [int(batch.enqueued[letter.message]) for letter in ordered],
        "_partition": [batch.partition] * len(ordered),
        "_seq": [int(batch.sequence_numbers[letter.message]) for letter in ordered],
        "_idx": [letter.idx for letter in ordered],
    }
    schema = row_schema(DEAD_LETTERS)
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

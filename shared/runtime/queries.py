"""What reads: rows of every stream, assets and sensors, dead letters, exports."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.runtime import storage

if TYPE_CHECKING:
    from shared.dead_letters.browse import DeadLetters
    from shared.identity.workers import Workers
    from shared.lake.buffered import BufferGauge
    from shared.query.history import History
    from shared.query.inventory import Inventory


@cache
def history() -> History:
    """Queries over the rows of every stream."""
    from shared.query.history import History

    return History(storage.segments(), storage.lake(), storage.blobs())


@cache
def inventory() -> Inventory:
    """Which assets and sensors there are."""
    from shared.query.inventory import Inventory

    return Inventory(history(), storage.segments())


@cache
def dead_letters() -> DeadLetters:
    """What could not become rows, to look through."""
    from shared.dead_letters.browse import DeadLetters

    return DeadLetters(history(), storage.segments())


@cache
def exports() -> Workers:
    """Where long answers are made, one after the other, for each is held in memory as a whole."""
    from shared.identity.workers import Workers

    return Workers("export", threads=1, waiting=8)


@cache
def readings_gauge() -> BufferGauge:
    """The buffers of the sensor readings, and the table above which they stand."""
    from shared.lake.buffered import BufferGauge
    from shared.streams.readings import READINGS

    return BufferGauge(READINGS, storage.segments(), storage.lake())

"""What a stream is: topics in, one Delta table out."""

from __future__ import annotations

from dataclasses import dataclass

# Where landing segments of every stream are kept, below `<topic>/<partition>/<generation>/`.
LANDING_CONTAINER = "landing"
# Where the app keeps what belongs to no stream: leases and notices.
SYSTEM_CONTAINER = "floe-system"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a stream's table; `kind` is one of string, double, long, int, binary, timestamp.

    Timestamps are microseconds in UTC. `repetitive`: few different values, which Parquet keeps in a
    dictionary.
    """

    name: str
    kind: str
    nullable: bool = True
    repetitive: bool = False


# What every table carries last: when the broker took the message and where in the stream the row stands.
PROVENANCE = (
    Column("ingestion_time", "timestamp", nullable=False),
    Column("_partition", "int", nullable=False, repetitive=True),
    Column("_seq", "long", nullable=False),
    Column("_idx", "int", nullable=False),
)


@dataclass(frozen=True, slots=True)
class StreamDefinition:
    """One stream: the topics it reads and the Delta table, at the root of `container`, that it fills.

    The table is partitioned by `key_column`, `date` and `hour`, the latter two in UTC from `time_column`.
    `file_column`: within a key's hour, rows of different values of it go to different files, which are named
    by it; None where a key's hour is one file.

    `derived`: the table is made of another stream's rows. It has no landing segments of its own, and is
    partitioned by `date` alone, which is its key.
    """

    name: str
    topics: tuple[str, ...]
    container: str
    columns: tuple[Column, ...]
    time_column: str
    key_column: str
    file_column: str | None = None
    derived: bool = False

    @property
    def partition_columns(self) -> tuple[str, ...]:
        """The Delta partition columns, in order."""
        return (self.key_column,) if self.derived else (self.key_column, "date", "hour")

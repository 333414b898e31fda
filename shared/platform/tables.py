"""Tables of mutable state: the port that every capability with state stands on.

tests/contracts holds every implementation, fakes included, to one suite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

Value = str | int | float | bool | datetime | bytes
NO_FILTER: Mapping[str, str | bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Times are aware and come back in UTC, integers have 64 bits; a value is never None.

    `etag` names the version that was read or written; it is empty in a row that was never stored. Partition
    and key have none of `/ \\ # ?` and no control characters.
    """

    partition: str
    key: str
    values: Mapping[str, Value]
    etag: str = ""

    def text(self, name: str) -> str:
        """The value `name`, which is text; empty where it is missing."""
        value = self.values.get(name, "")
        assert isinstance(value, str), name
        return value

    def time(self, name: str) -> datetime | None:
        """The value `name`, which is a time; None where it is missing."""
        value = self.values.get(name)
        assert value is None or isinstance(value, datetime), name
        return value


class RowExists(Exception):
    """A row stands under that partition and key already."""


class RowGone(Exception):
    """No row stands under that partition and key (any more)."""


class RowChanged(Exception):
    """The row was written since the version that the etag names."""


class Tables(Protocol):
    """Tables by name. Every method blocks, and raises StorageUnavailable when storage does not answer.

    After StorageUnavailable a write may hold or not.
    """

    def get(self, table: str, partition: str, key: str) -> Row:
        """The row; raises RowGone."""

    def insert(self, table: str, row: Row) -> Row:
        """Writes a new row and returns it with its etag; raises RowExists."""

    def replace(self, table: str, row: Row) -> Row:
        """Writes all values anew if the row still is the version `row.etag`; raises RowChanged or RowGone."""

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """Deletes the row, with `etag` only that version (else RowChanged); one that is gone is no error."""

    def query(
        self,
        table: str,
        partition: str,
        *,
        after: str = "",
        before: str = "",
        where: Mapping[str, str | bool] = NO_FILTER,
        limit: int = 1000,
    ) -> list[Row]:
        """The first `limit` rows of the partition with keys above `after`, and below `before` where that is
        given, whose values are those of `where`, in the order of their keys."""

    def expired(self, table: str, before: datetime, *, limit: int = 1000) -> list[Row]:
        """At most `limit` rows, of any partition, whose `expires_at` lies before that time."""

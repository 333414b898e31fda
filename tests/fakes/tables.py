"""Tables in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from threading import Lock

from shared.platform.tables import NO_FILTER, Row, RowChanged, RowExists, RowGone


class MemoryTables:
    """Implements shared.platform.tables.Tables; every table exists.

    `calls` has the name of each call, so that a test sees what reaches storage; `broken` is raised by all.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Row] = {}
        self.calls: list[str] = []
        self.broken: Exception | None = None
        self._etags = count(1)
        self._lock = Lock()

    def get(self, table: str, partition: str, key: str) -> Row:
        with self._lock:
            self._called(f"get {table}")
            return self._found(table, partition, key)

    def insert(self, table: str, row: Row) -> Row:
        with self._lock:
            self._called(f"insert {table}")
            if (table, row.partition, row.key) in self.rows:
                raise RowExists(table)
            return self._write(table, row)

    def replace(self, table: str, row: Row) -> Row:
        with self._lock:
            self._called(f"replace {table}")
            if self._found(table, row.partition, row.key).etag != row.etag:
                raise RowChanged(table)
            return self._write(table, row)

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        with self._lock:
            self._called(f"delete {table}")
            held = self.rows.get((table, partition, key))
            if held and etag is not None and held.etag != etag:
                raise RowChanged(table)
            self.rows.pop((table, partition, key), None)

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
        with self._lock:
            self._called(f"query {table}")
            found = [row for (name, *_), row in sorted(self.rows.items()) if name == table]
            within = [
                row
                for row in found
                if row.partition == partition and row.key > after and (not before or row.key < before)
            ]
            return [row for row in within if where.items() <= row.values.items()][:limit]

    def expired(self, table: str, before: datetime, *, limit: int = 1000) -> list[Row]:
        with self._lock:
            self._called(f"expired {table}")
            found = [row for (name, *_), row in sorted(self.rows.items()) if name == table]
            return [row for row in found if (row.time("expires_at") or before) < before][:limit]

    def _called(self, what: str) -> None:
        self.calls.append(what)
        if self.broken is not None:
            raise self.broken

    def _found(self, table: str, partition: str, key: str) -> Row:
        try:
            return self.rows[table, partition, key]
        except KeyError:
            raise RowGone(table) from None

    def _write(self, table: str, row: Row) -> Row:
        values = {
            name: value.astimezone(UTC) if isinstance(value, datetime) else value
            for name, value in row.values.items()
        }
        stored = Row(row.partition, row.key, values, f'W/"{next(self._etags)}"')
        self.rows[table, row.partition, row.key] = stored
        return stored

"""Rows in Azure Tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from threading import Lock
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import EdmType, EntityProperty, TableClient, TableServiceClient, UpdateMode

from shared.adapters.connection import StorageAccount
from shared.platform.errors import StorageUnavailable
from shared.platform.tables import NO_FILTER, Row, RowChanged, RowExists, RowGone, Value


class TableStorage:
    """Implements shared.platform.tables.Tables."""

    def __init__(self, account: StorageAccount) -> None:
        self._service = _service(account)
        self._clients: dict[str, TableClient] = {}
        self._lock = Lock()

    def get(self, table: str, partition: str, key: str) -> Row:
        """See the port."""
        try:
            return _row(self._client(table).get_entity(partition, key))
        except AzureError as error:
            raise _translated(error, table) from error

    def insert(self, table: str, row: Row) -> Row:
        """See the port."""
        try:
            return _stored(row, self._client(table).create_entity(_entity(row)))
        except ResourceExistsError:
            raise RowExists(table) from None
        except (AzureError, AttributeError) as error:  # the SDK stumbles over errors without a response
            raise _silent(table) from error

    def replace(self, table: str, row: Row) -> Row:
        """See the port."""
        try:
            told = self._client(table).update_entity(
                _entity(row),
                mode=UpdateMode.REPLACE,
                etag=row.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except AzureError as error:
            raise _translated(error, table) from error
        return _stored(row, told)

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """See the port."""
        only = MatchConditions.IfNotModified if etag else None
        try:
            self._client(table).delete_entity(partition, key, etag=etag, match_condition=only)
        except AzureError as error:
            translated = _translated(error, table)
            if not isinstance(translated, RowGone):
                raise translated from error

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
        """See the port."""
        wanted = "PartitionKey eq @partition and RowKey gt @after"
        wanted += " and RowKey lt @before" if before else ""
        wanted += "".join(f" and {name} eq @{name}" for name in where)
        given = {"partition": partition, "after": after, **({"before": before} if before else {}), **where}
        return self._select(table, wanted, given, limit)

    def expired(self, table: str, before: datetime, *, limit: int = 1000) -> list[Row]:
        """See the port."""
        return self._select(table, "expires_at lt @before", {"before": before}, limit)

    def _select(self, table: str, wanted: str, parameters: dict[str, Any], limit: int) -> list[Row]:
        page = min(limit, 1000)
        try:
            found: Iterable[Mapping[str, Any]] = self._client(table).query_entities(
                wanted, parameters=parameters, results_per_page=page
            )
            return [_row(entity) for entity in islice(found, limit)]
        except AzureError as error:
            raise _silent(table) from error

    def _client(self, table: str) -> TableClient:
        with self._lock:
            if table not in self._clients:
                self._clients[table] = self._service.get_table_client(table)
            return self._clients[table]


def _service(account: StorageAccount) -> TableServiceClient:
    # A row is small: whoever waits for it hears within ten seconds that storage is silent.
    options: dict[str, Any] = {"connection_timeout": 3, "read_timeout": 4, "retry_total": 1}
    if account.connection_string is not None:
        return TableServiceClient.from_connection_string(account.connection_string, **options)
    from shared.adapters.identity import credential

    return TableServiceClient(account.table_endpoint, credential=credential(), **options)


def _entity(row: Row) -> dict[str, Any]:
    values = {name: _written(value) for name, value in row.values.items()}
    return {"PartitionKey": row.partition, "RowKey": row.key, **values}


def _written(value: Value) -> Any:
    # A plain integer would be one of 32 bits.
    if isinstance(value, int) and not isinstance(value, bool):
        return EntityProperty(value, EdmType.INT64)
    return value


def _row(entity: Any) -> Row:
    own = {"PartitionKey", "RowKey"}
    values = {name: _read(value) for name, value in entity.items() if name not in own}
    return Row(entity["PartitionKey"], entity["RowKey"], values, entity.metadata["etag"])


def _read(value: Any) -> Value:
    if isinstance(value, EntityProperty):
        value = value.value
    if isinstance(value, datetime):
        # A plain one: the SDK's own keeps a copy of the service's text.
        return datetime.fromtimestamp(0, UTC) + (value - datetime.fromtimestamp(0, UTC))
    read: Value = value
    return read


def _stored(row: Row, told: Mapping[str, Any]) -> Row:
    return Row(row.partition, row.key, row.values, told["etag"])


def _translated(error: AzureError, table: str) -> Exception:
    """The port's error for the SDK's, of a call that names one row."""
    match error:
        case ResourceModifiedError():
            return RowChanged(table)
        case ResourceNotFoundError() if getattr(error, "error_code", None) != "TableNotFound":
            return RowGone(table)
    return _silent(table)


def _silent(table: str) -> StorageUnavailable:
    return StorageUnavailable(f"storage did not answer for the table {table}")

"""What holds of every implementation of the port Tables."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from devstack.provision import make_tables
from shared.adapters.connection import StorageAccount
from shared.adapters.table_storage import TableStorage
from shared.platform.errors import StorageUnavailable
from shared.platform.tables import Row, RowChanged, RowExists, RowGone, Tables
from tests.fakes.tables import MemoryTables
from tests.place import account_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> str:
    """A table of the test's own."""
    return "contract" + re.sub(r"[^a-z0-9]", "", request.node.name.lower())[-50:]


@pytest.fixture(params=["memory", "azurite"])
def tables(request: pytest.FixtureRequest, table: str) -> Tables:
    if request.param == "memory":
        return MemoryTables()
    connection_string: str = request.getfixturevalue("storage_connection_string")
    make_tables(connection_string, [table])
    return TableStorage(account_of(connection_string))


def test_what_is_inserted_is_read_back(tables: Tables, table: str) -> None:
    values = {
        "text": "naïve ☃ 'quoted'",
        "empty": "",
        "number": 2**40,
        "small": -1,
        "share": 0.25,
        "yes": True,
        "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, timezone(timedelta(hours=2))),
        "bytes": b"\x00\xff",
    }
    stored = tables.insert(table, Row("a", "1", values))
    read = tables.get(table, "a", "1")
    assert read.values == values
    assert {name: type(value) for name, value in read.values.items()} == {
        name: type(value) for name, value in values.items()
    }
    assert read.time("moment") == datetime(2026, 1, 2, 1, 4, 5, 678901, UTC)
    assert str(read.time("moment")).endswith("+00:00")
    assert stored.etag == read.etag != ""


def test_insert_takes_no_place_that_is_taken(tables: Tables, table: str) -> None:
    tables.insert(table, Row("a", "1", {"n": 1}))
    with pytest.raises(RowExists):
        tables.insert(table, Row("a", "1", {"n": 2}))
    tables.insert(table, Row("b", "1", {"n": 3}))
    assert tables.get(table, "a", "1").values == {"n": 1}


def test_one_of_many_inserts_at_once_wins(tables: Tables, table: str) -> None:
    def attempt(number: int) -> bool:
        try:
            tables.insert(table, Row("a", "1", {"n": number}))
        except RowExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 1


def test_replace_writes_all_values_anew(tables: Tables, table: str) -> None:
    first = tables.insert(table, Row("a", "1", {"n": 1, "m": 1}))
    second = tables.replace(table, Row("a", "1", {"n": 2}, first.etag))
    assert tables.get(table, "a", "1") == second
    assert second.values == {"n": 2}
    assert tables.replace(table, second).etag != second.etag


def test_replace_refuses_an_older_version(tables: Tables, table: str) -> None:
    first = tables.insert(table, Row("a", "1", {"n": 1}))
    tables.replace(table, first)
    with pytest.raises(RowChanged):
        tables.replace(table, first)


def test_replace_refuses_what_is_gone(tables: Tables, table: str) -> None:
    first = tables.insert(table, Row("a", "1", {"n": 1}))
    tables.delete(table, "a", "1")
    with pytest.raises(RowGone):
        tables.replace(table, first)


def test_delete(tables: Tables, table: str) -> None:
    first = tables.insert(table, Row("a", "1", {"n": 1}))
    second = tables.replace(table, first)
    with pytest.raises(RowChanged):
        tables.delete(table, "a", "1", first.etag)
    tables.delete(table, "a", "1", second.etag)
    with pytest.raises(RowGone):
        tables.get(table, "a", "1")
    tables.delete(table, "a", "1")
    tables.delete(table, "a", "1", second.etag)


def test_query_goes_through_a_partition_in_order(tables: Tables, table: str) -> None:
    for key in ("3", "1", "2", "10"):
        tables.insert(table, Row("it's", key, {}))
    tables.insert(table, Row("other", "4", {}))
    assert [row.key for row in tables.query(table, "it's")] == ["1", "10", "2", "3"]
    assert [row.key for row in tables.query(table, "it's", limit=2)] == ["1", "10"]
    assert [row.key for row in tables.query(table, "it's", after="10", limit=5)] == ["2", "3"]
    assert tables.query(table, "none") == []


def test_query_takes_a_range_of_keys_and_values_that_rows_must_have(tables: Tables, table: str) -> None:
    for key, colour, done in (("1", "it's red", True), ("2", "blue", True), ("3", "it's red", False)):
        tables.insert(table, Row("a", key, {"colour": colour, "done": done}))
    tables.insert(table, Row("a", "4", {"done": True}))
    assert [row.key for row in tables.query(table, "a", after="1", before="4")] == ["2", "3"]
    assert [row.key for row in tables.query(table, "a", where={"colour": "it's red"})] == ["1", "3"]
    assert [row.key for row in tables.query(table, "a", where={"done": True}, limit=2)] == ["1", "2"]
    assert tables.query(table, "a", where={"colour": "it's red", "done": False}, before="3") == []


def test_expired_rows_are_found_in_every_partition(tables: Tables, table: str) -> None:
    tables.insert(table, Row("a", "old", {"expires_at": NOON - timedelta(seconds=1)}))
    tables.insert(table, Row("b", "old", {"expires_at": NOON - timedelta(days=1)}))
    tables.insert(table, Row("b", "now", {"expires_at": NOON}))
    tables.insert(table, Row("b", "never", {}))
    found = tables.expired(table, NOON)
    assert {(row.partition, row.key) for row in found} == {("a", "old"), ("b", "old")}
    assert len(tables.expired(table, NOON, limit=1)) == 1


def test_a_table_that_is_missing_is_unavailable(storage_connection_string: str) -> None:
    tables = TableStorage(account_of(storage_connection_string))
    with pytest.raises(StorageUnavailable):
        tables.get("nosuchtable", "a", "1")
    with pytest.raises(StorageUnavailable):
        tables.insert("nosuchtable", Row("a", "1", {}))
    with pytest.raises(StorageUnavailable):
        tables.query("nosuchtable", "a")


def test_storage_that_is_down_is_unavailable() -> None:
    account = StorageAccount("devstoreaccount1", "", "a2V5", _nowhere())
    tables = TableStorage(account)
    with pytest.raises(StorageUnavailable):
        tables.get("users", "a", "1")


def _nowhere() -> str:
    return (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
        "TableEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    )

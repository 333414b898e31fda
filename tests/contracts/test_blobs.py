"""Blobs."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import get_args

import obstore
import pyarrow as pa
import pytest
from azure.storage.blob import BlobServiceClient
from obstore.exceptions import GenericError
from obstore.store import AzureStore

from shared.adapters.connection import StorageAccount
from shared.adapters.obstore_blobs import ObstoreBlobs
from shared.lake.ports import BlobExists, BlobGone, BlobInfo, Blobs, Tier
from shared.platform.clock import utc_now
from shared.platform.errors import StorageUnavailable
from shared.streams.models import LANDING_CONTAINER as HERE
from tests.place import Place, account_of

NAMES = [
    "plain",
    "a/b/c.arrow",
    "with space/and+plus",
    "percent%20/%2F",
    "question?/hash#",
    "é/日本",
    "ends.with.dots..",
    "x" * 200,
    "events.transaction/0/ab/00000000000000000000-00000000000000000009.5.-62135596800000000.5.arrow",
]


@pytest.fixture
def folder() -> str:
    return f"t{uuid.uuid4().hex}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", [b"", b"\x00\xff" * 1000])
def test_what_is_put_is_got(blobs: Blobs, folder: str, name: str, data: bytes) -> None:
    blobs.put_blocking(HERE, f"{folder}/{name}", data)
    assert blobs.get(HERE, f"{folder}/{name}") == data
    assert list(blobs.list(HERE, f"{folder}/")) == [BlobInfo(f"{folder}/{name}", len(data))]
    blobs.delete(HERE, [f"{folder}/{name}"])
    assert list(blobs.list(HERE, f"{folder}/")) == []


async def test_a_put_replaces(blobs: Blobs, folder: str) -> None:
    await blobs.put(HERE, f"{folder}/a", b"longer than the next")
    await blobs.put(HERE, f"{folder}/a", b"next")
    assert blobs.get(HERE, f"{folder}/a") == b"next"


@pytest.mark.parametrize("tier", get_args(Tier))
def test_what_is_created_is_got(blobs: Blobs, folder: str, tier: Tier) -> None:
    data = bytes(range(256)) * 100
    blobs.create(HERE, f"{folder}/a", memoryview(data), tier)
    assert blobs.get(HERE, f"{folder}/a") == data
    for start, end in ((0, 10), (255, 300), (len(data) - 3, len(data)), (7, 7), (0, len(data))):
        assert blobs.get_range(HERE, f"{folder}/a", start, end) == data[start:end]


def test_any_buffer_is_written(blobs: Blobs, folder: str) -> None:
    for number, data in enumerate((b"x", bytearray(b"x"), memoryview(b"x"), pa.py_buffer(b"x"))):
        blobs.create(HERE, f"{folder}/{number}", data, "Hot")
        assert blobs.get(HERE, f"{folder}/{number}") == b"x"


def test_a_blob_is_created_once(blobs: Blobs, folder: str) -> None:
    blobs.create(HERE, f"{folder}/a", b"first", "Cold")
    blobs.put_blocking(HERE, f"{folder}/b", b"put")
    for name in ("a", "b"):
        with pytest.raises(BlobExists):
            blobs.create(HERE, f"{folder}/{name}", b"second", "Cold")
    assert (blobs.get(HERE, f"{folder}/a"), blobs.get(HERE, f"{folder}/b")) == (b"first", b"put")
    blobs.delete(HERE, [f"{folder}/a"])
    blobs.create(HERE, f"{folder}/a", b"third", "Hot")
    assert blobs.get(HERE, f"{folder}/a") == b"third"


def test_of_many_that_create_a_blob_one_does(blobs: Blobs, folder: str) -> None:
    def create(number: int) -> int | None:
        try:
            blobs.create(HERE, f"{folder}/a", b"%d" % number, "Cool")
        except BlobExists:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        created = [number for number in pool.map(create, range(8)) if number is not None]
    assert [blobs.get(HERE, f"{folder}/a")] == [b"%d" % number for number in created]


@pytest.mark.parametrize("tier", get_args(Tier))
def test_storage_keeps_a_blob_in_its_tier(place: Place, folder: str, tier: Tier) -> None:
    place.blobs().create(HERE, f"{folder}/a", b"x", tier)
    with BlobServiceClient.from_connection_string(place.connection_string) as service:
        blob = service.get_blob_client(place.container(HERE), f"{folder}/a")
        assert blob.get_blob_properties().blob_tier == tier


def test_lists_tell_when_blobs_were_written(blobs: Blobs, folder: str) -> None:
    blobs.put_blocking(HERE, f"{folder}/a", b"x")
    [info] = blobs.list(HERE, folder)
    assert abs(info.modified - utc_now()) < timedelta(hours=1)


def test_what_is_not_there_is_gone(blobs: Blobs, folder: str) -> None:
    with pytest.raises(BlobGone):
        blobs.get(HERE, f"{folder}/a")
    with pytest.raises(BlobGone):
        blobs.get_range(HERE, f"{folder}/a", 0, 1)
    assert list(blobs.list(HERE, folder)) == []


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["a", "a/1", "a/10", "a/2", "a/b/3", "ab", "b"]),
        ("a", ["a", "a/1", "a/10", "a/2", "a/b/3", "ab"]),
        ("a/", ["a/1", "a/10", "a/2", "a/b/3"]),
        ("a/1", ["a/1", "a/10"]),
        ("a/b/", ["a/b/3"]),
        ("b/", []),
        ("c", []),
    ],
)
def test_lists_are_of_a_prefix_in_order(blobs: Blobs, folder: str, prefix: str, found: list[str]) -> None:
    for name in ("b", "a/2", "a/10", "a/1", "ab", "a", "a/b/3"):
        blobs.put_blocking(HERE, f"{folder}/{name}", b"x")
    listed = [info.name.removeprefix(f"{folder}/") for info in blobs.list(HERE, f"{folder}/{prefix}")]
    assert listed == found


@pytest.mark.parametrize("present", [(), (0,), (2,), (0, 1, 2)])
def test_deleting_what_is_gone_is_no_error(blobs: Blobs, folder: str, present: tuple[int, ...]) -> None:
    for number in present:
        blobs.put_blocking(HERE, f"{folder}/{number}", b"x")
    blobs.put_blocking(HERE, f"{folder}/stays", b"x")
    blobs.delete(HERE, [f"{folder}/{number}" for number in range(3)])
    blobs.delete(HERE, [])
    assert [info.name for info in blobs.list(HERE, f"{folder}/")] == [f"{folder}/stays"]


def test_more_than_a_page_is_listed_and_deleted(place: Place, folder: str) -> None:
    blobs = place.blobs()
    names = [f"{folder}/{number:05}" for number in range(1001)]
    for name in names:
        blobs.put_blocking(HERE, name, b"")
    assert [info.name for info in blobs.list(HERE, folder)] == names
    blobs.delete(HERE, names)
    assert list(blobs.list(HERE, folder)) == []


def test_deleting_goes_on_where_a_connection_broke(
    place: Place, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of the blobs are gone when the bulk request is repeated."""
    blobs, delete = place.blobs(), obstore.delete
    names = [f"{folder}/{number}" for number in range(5)]
    for name in names:
        blobs.put_blocking(HERE, name, b"x")

    def break_off(store: AzureStore, paths: list[str]) -> None:
        monkeypatch.setattr(obstore, "delete", delete)
        delete(store, paths[:2])
        raise GenericError("the connection was reset")

    monkeypatch.setattr(obstore, "delete", break_off)
    blobs.delete(HERE, names)
    assert list(blobs.list(HERE, folder)) == []


def test_a_container_that_is_missing_is_not_an_empty_one(storage_connection_string: str) -> None:
    blobs = ObstoreBlobs(account_of(storage_connection_string))
    with pytest.raises(StorageUnavailable, match="does not exist"):
        blobs.get("no-such-container", "a")
    with pytest.raises(StorageUnavailable):
        list(blobs.list("no-such-container", ""))
    with pytest.raises(StorageUnavailable):
        blobs.put_blocking("no-such-container", "a", b"")


def test_storage_that_does_not_answer() -> None:
    dead = StorageAccount("dead", "http://127.0.0.1:9/dead", "a2V5", None)
    blobs = ObstoreBlobs(dead)
    with pytest.raises(StorageUnavailable):
        blobs.get("c", "a")

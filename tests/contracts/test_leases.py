"""Leases: one holder at a time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from shared.adapters.blob_leases import BlobLeases
from shared.adapters.connection import StorageAccount
from shared.lake.ports import Leases
from shared.platform.errors import LeaseHeld, StorageUnavailable
from tests.fakes import MemoryLeases
from tests.place import Place

type NewLeases = Callable[[], Leases]


@pytest.fixture
def name() -> str:
    return f"lease-{uuid.uuid4().hex}"


def test_one_holds_it_and_then_another(new_leases: NewLeases, name: str) -> None:
    mine, other = new_leases(), new_leases()
    with mine.hold(name, wait_seconds=0) as lease:
        lease.check()
        with pytest.raises(LeaseHeld), other.hold(name, wait_seconds=0):
            pass
        lease.check()
    with other.hold(name, wait_seconds=0) as lease:
        lease.check()


def test_names_do_not_disturb_each_other(new_leases: NewLeases, name: str) -> None:
    leases = new_leases()
    with leases.hold(name, wait_seconds=0), leases.hold(f"{name}-b", wait_seconds=0) as other:
        other.check()


def test_it_is_given_back_by_a_holder_that_fails(new_leases: NewLeases, name: str) -> None:
    leases = new_leases()
    with pytest.raises(ZeroDivisionError), leases.hold(name, wait_seconds=0):
        _ = 1 / 0
    with leases.hold(name, wait_seconds=0) as lease:
        lease.check()


def test_whoever_waits_gets_it_next(new_leases: NewLeases, name: str) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        with new_leases().hold(name, wait_seconds=60):
            order.append("second")

    thread = threading.Thread(target=wait)
    with new_leases().hold(name, wait_seconds=0):
        thread.start()
        waiting.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_fakes_lost_lease_fails_its_check(name: str) -> None:
    leases = MemoryLeases()
    with leases.hold(name, wait_seconds=0) as lease:
        leases.lapse(name)
        with pytest.raises(LeaseHeld, match="was lost"):
            lease.check()


def test_a_lost_lease_fails_its_check(place: Place, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("shared.adapters.blob_leases.time.monotonic", lambda: now)
    with place.leases().hold(name, wait_seconds=0) as lease:
        place.break_leases()
        with place.leases().hold(name, wait_seconds=0) as other:
            other.check()
            now += 15
            # Nobody could renew it in between.
            with pytest.raises(LeaseHeld, match="was lost"):
                lease.check()


def test_storage_that_does_not_answer(name: str) -> None:
    key = "a2V5"
    text = (
        f"DefaultEndpointsProtocol=http;AccountName=dead;AccountKey={key};"
        "BlobEndpoint=http://127.0.0.1:9/dead"
    )
    leases = BlobLeases(StorageAccount("dead", "http://127.0.0.1:9/dead", key, text), "c", 15)
    with pytest.raises(StorageUnavailable), leases.hold(name, wait_seconds=0):
        pass

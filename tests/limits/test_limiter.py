"""Counting: on one instance, on several, and while storage does not answer."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.provision import make_tables
from shared.adapters.table_storage import TableStorage
from shared.limits import limiter as module
from shared.limits.limiter import PORTIONS
from shared.limits.quotas import Asked, Granted, Quotas, partition_of
from shared.limits.rules import AUTH, BATCH, CREDENTIALS, EVENTS, PLAN
from shared.platform.errors import StorageUnavailable
from shared.platform.state_tables import EXPIRING_TABLES, RATE_LIMITS, STATE_TABLES
from tests.fakes.tables import MemoryTables
from tests.limits.instances import CLIENT, NOON, Instance, Seconds
from tests.place import account_of


@pytest.fixture
def one(tables: MemoryTables, clock: Seconds) -> Instance:
    return Instance(tables, clock)


@pytest.fixture
def other(tables: MemoryTables, clock: Seconds) -> Instance:
    return Instance(tables, clock)


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 60, 99, 100, 101, 1000, 10_000])
async def test_one_instance_lets_just_the_limit_pass(one: Instance, limit: int) -> None:
    for used in range(limit):
        assert one.remaining(EVENTS, limit) == limit - used
        assert await one.request(EVENTS, limit)
    assert one.remaining(EVENTS, limit) == 0
    assert await one.requests(EVENTS, limit, 5) == 0


@pytest.mark.parametrize(("rule", "seconds"), [(EVENTS, 60), (PLAN, 3600)])
async def test_a_window_begins_on_the_clock_and_renews_the_limit(
    one: Instance, clock: Seconds, rule: module.Rule, seconds: int
) -> None:
    clock.now = NOON + seconds - 1
    assert await one.requests(rule, 10, 20) == 10
    assert one.limiter.count(rule, CLIENT, 10).ends == NOON + seconds
    assert one.limiter.seconds_left(one.limiter.count(rule, CLIENT, 10)) == 1
    clock.now = NOON + seconds
    assert one.remaining(rule, 10) == 10
    assert await one.requests(rule, 10, 20) == 10


async def test_clients_and_rules_count_apart(one: Instance) -> None:
    assert await one.requests(EVENTS, 10, 20) == 10
    assert await one.requests(BATCH, 10, 20) == 10
    assert await one.requests(EVENTS, 10, 20, "somebody else") == 10


async def test_seldom_requests_never_reach_storage(one: Instance, tables: MemoryTables) -> None:
    for client in range(100):
        assert await one.requests(EVENTS, 1000, 9, f"client {client}") == 9
    assert (one.asked, tables.calls) == (0, [])


@pytest.mark.parametrize("limit", [100, 1000, 10_000])
async def test_storage_is_asked_by_portions_and_no_more_once_the_limit_is_spent(
    one: Instance, tables: MemoryTables, limit: int
) -> None:
    await one.requests(EVENTS, limit, limit)
    assert one.asked <= PORTIONS + 1
    assert len(tables.calls) <= PORTIONS + 3  # the first asking reads, too
    asked = one.asked
    await one.requests(EVENTS, limit, 1000)
    assert one.asked - asked <= 1


@given(
    limit=st.integers(1, 2000),
    order=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 400)), min_size=1, max_size=40),
)
def test_several_instances_overshoot_by_what_each_takes_unasked_only(
    limit: int, order: list[tuple[int, int]]
) -> None:
    async def story() -> None:
        tables, clock = MemoryTables(), Seconds()
        instances = [Instance(tables, clock) for _ in range(5)]
        passed = 0
        for which, count in order:
            passed += await instances[which].requests(EVENTS, limit, count)
        used = len({which for which, _ in order})
        assert passed <= limit + used * (limit // EVENTS.unasked)
        assert passed >= min(sum(count for _, count in order), limit - (used - 1) * _idle(limit))
        for instance in instances:  # whoever has some left uses them up
            passed += await instance.requests(EVENTS, limit, limit)
        assert limit <= passed <= limit + 5 * (limit // EVENTS.unasked)

    asyncio.run(story())


@given(
    limit=st.integers(1, 500),
    order=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 200), st.booleans(), st.integers(0, 10)),
        min_size=1,
        max_size=15,
    ),
)
def test_whatever_storage_does_an_instance_passes_no_more_than_the_limit(
    limit: int, order: list[tuple[int, int, bool, int]]
) -> None:
    async def story() -> None:
        tables, clock = MemoryTables(), Seconds()
        instances = [Instance(tables, clock) for _ in range(3)]
        passed = [0, 0, 0]
        for which, count, down, pause in order:
            tables.broken = StorageUnavailable("down") if down else None
            clock.now += pause
            answers = await asyncio.gather(*(instances[which].request(PLAN, limit) for _ in range(count)))
            passed[which] += sum(answers)
            assert 0 <= instances[which].remaining(PLAN, limit) <= limit - passed[which]
        assert max(passed) <= limit
        if not any(down for _, _, down, _ in order):
            assert sum(passed) <= limit + 3 * (limit // PLAN.unasked)

    asyncio.run(story())


def _idle(limit: int) -> int:
    """What one instance may hold and not use."""
    portion = max(2, limit // PORTIONS)
    return portion + portion // 4


async def test_what_is_told_to_be_left_takes_the_others_in(one: Instance, other: Instance) -> None:
    await one.requests(EVENTS, 1000, 500)
    await other.requests(EVENTS, 1000, 20)
    taken_by_one = 1000 - 20 - other.remaining(EVENTS, 1000)
    assert 500 <= taken_by_one <= 500 + _idle(1000)


@pytest.fixture
def two_processes(storage_connection_string: str, monkeypatch: pytest.MonkeyPatch) -> list[Instance]:
    """Two instances over one real table, which may be slow on a crowded machine."""
    monkeypatch.setattr(module, "PATIENCE", 100)
    make_tables(storage_connection_string, STATE_TABLES)
    account = account_of(storage_connection_string)
    return [Instance(TableStorage(account), Seconds(), threads=True) for _ in range(2)]


async def test_two_instances_over_one_real_table(two_processes: list[Instance]) -> None:
    client, limit = uuid.uuid4().hex, 1000

    async def hammer(instance: Instance) -> int:
        """Twenty connections that each send a hundred requests."""
        passed = await asyncio.gather(*(instance.requests(EVENTS, limit, 100, client) for _ in range(20)))
        return sum(passed)

    first, second = await asyncio.gather(*map(hammer, two_processes))
    assert limit <= first + second <= limit + 2 * (limit // EVENTS.unasked)
    assert min(first, second) > 0
    assert sum(one.asked for one in two_processes) <= PORTIONS + 5


async def test_a_small_limit_is_kept_to_the_request(two_processes: list[Instance]) -> None:
    client = uuid.uuid4().hex
    passed = await asyncio.gather(*(one.requests(AUTH, 10, 30, client) for one in two_processes))
    assert sum(passed) == 10


async def test_many_at_once_ask_storage_once(one: Instance) -> None:
    passed = await asyncio.gather(*(one.request(CREDENTIALS, 10) for _ in range(100)))
    assert sum(passed) == 10
    assert one.asked <= 10 // 2 + 1


async def test_who_comes_just_as_storage_answers(tables: MemoryTables, clock: Seconds) -> None:
    asked, answered = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def wait(call: module.Callable[[], Granted]) -> Granted:
        asked.set()
        await answered
        return call()

    limiter = module.Limiter(Quotas(lambda: tables), wait, clock)
    count = limiter.count(AUTH, CLIENT, 1)
    first = asyncio.create_task(limiter.take(count))
    await asked.wait()
    # In one turn of the loop: the answer, and a request that finds it there.
    answered.set_result(None)
    second = asyncio.create_task(limiter.take(count))
    assert sorted(await asyncio.gather(first, second)) == [False, True]


async def test_each_instance_counts_alone_while_storage_is_down(
    one: Instance, other: Instance, tables: MemoryTables, clock: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    tables.broken = StorageUnavailable("down")
    with caplog.at_level(logging.INFO, "floe"):
        assert await one.requests(EVENTS, 1000, 1500) == 1000
        assert await other.requests(EVENTS, 1000, 300) == 300
    assert caplog.text.count("counted by each instance alone") == 2
    assert len(tables.calls) == 2


async def test_what_was_lent_is_counted_when_storage_is_back(
    one: Instance, other: Instance, tables: MemoryTables, clock: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    tables.broken = StorageUnavailable("down")
    assert await one.requests(EVENTS, 1000, 620) == 620
    tables.broken = None
    clock.now += module.SILENCE
    with caplog.at_level(logging.INFO, "floe"):
        passed = 620 + await one.requests(EVENTS, 1000, 100)
    assert "shared again" in caplog.text
    passed += await other.requests(EVENTS, 1000, 1000)
    assert 1000 - _idle(1000) <= passed <= 1000 + 1000 // EVENTS.unasked


async def test_storage_that_hangs_holds_requests_up_for_a_moment_only(
    tables: MemoryTables, clock: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    released = asyncio.Event()

    async def hang(call: module.Callable[[], Granted]) -> Granted:
        await released.wait()
        return call()

    limiter = module.Limiter(Quotas(lambda: tables), hang, clock)
    count = limiter.count(AUTH, CLIENT, 10)
    assert [await limiter.take(count) for _ in range(12)] == [True] * 10 + [False] * 2
    released.set()
    assert count.asking is not None
    await count.asking
    assert await limiter.take(count) is False
    assert tables.rows[RATE_LIMITS, partition_of("auth|" + CLIENT), "window"].values["taken"] == 2


async def test_an_error_that_nobody_foresaw_refuses_nobody(one: Instance, tables: MemoryTables) -> None:
    tables.broken = AttributeError("'NoneType' object has no attribute 'headers'")
    assert await one.requests(AUTH, 10, 20) == 10


async def test_clients_are_forgotten(one: Instance, clock: Seconds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CLIENTS", 100)
    for client in range(1000):
        await one.request(EVENTS, 1000, f"client {client}")
        assert len(one.limiter._counts) <= 100
    assert one.remaining(EVENTS, 1000, "client 999") == 999
    clock.now += 120
    await one.request(EVENTS, 1000, "somebody")
    assert len(one.limiter._counts) == 1


async def test_a_request_is_given_back(one: Instance) -> None:
    count = one.limiter.count(CREDENTIALS, CLIENT, 10)
    for _ in range(50):
        assert await one.limiter.take(count)
        one.limiter.give_back(count)
    assert count.remaining == 10
    assert one.asked == 1


def test_another_clock_that_is_ahead(tables: MemoryTables) -> None:
    quotas = Quotas(lambda: tables)
    ahead = quotas.take(Asked("x", 120, 180, 10, 10))
    assert (ahead.given, ahead.taken) == (10, 10)
    # This one's window is over by the other's clock, and the next one's count stays as it is.
    assert quotas.take(Asked("x", 60, 120, 10, 5)).given == 5
    assert quotas.take(Asked("x", 120, 180, 10, 1)).given == 0
    assert quotas.take(Asked("x", 180, 240, 10, 1)).taken == 1


def test_a_row_that_changed_meanwhile_is_read_again(tables: MemoryTables) -> None:
    quotas = Quotas(lambda: tables)
    first = quotas.take(Asked("x", 60, 120, 10, 2))
    quotas.take(Asked("x", 60, 120, 10, 3))
    assert quotas.take(Asked("x", 60, 120, 10, 2, first.row)).taken == 7
    tables.rows.clear()  # the sweep
    assert quotas.take(Asked("x", 60, 120, 10, 2, first.row)).taken == 2


def test_storage_learns_no_addresses_and_when_to_forget(tables: MemoryTables) -> None:
    Quotas(lambda: tables).take(Asked("auth|from 203.0.113.9", 60, 120, 10, 2))
    (row,) = tables.rows.values()
    assert "203.0.113.9" not in repr(row)
    assert row.time("expires_at") == datetime.fromtimestamp(120, UTC)
    assert RATE_LIMITS in EXPIRING_TABLES

"""Credentials on several instances: what costs a look-up, and how soon a revocation holds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.identity.models import NewKey
from shared.identity.revocations import DELAY_SECONDS, ENTRY_LIFE
from shared.identity.scopes import SCOPES, USER_SCOPES
from shared.identity.sweep import sweep
from shared.platform.errors import StorageUnavailable, Unauthenticated, Unavailable
from shared.platform.state_tables import API_KEYS, REVOCATIONS
from shared.platform.tables import Row
from tests.architecture.imports import ROOT
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.identity.instances import Instance, login

DOWN = StorageUnavailable("storage did not answer")
READER = NewKey("reader", ["events:read"], "professional", "acme")


async def test_a_key_made_on_one_is_good_on_the_other(one: Instance, other: Instance) -> None:
    key, text = one.keys.create(READER)
    for instance in (one, other):
        principal = await instance.who(text)
        assert (principal.id, principal.account, principal.plan) == (f"key-{key.id}", "acme", "professional")
        assert (principal.kind, sorted(principal.scopes)) == ("key", ["events:read"])


async def test_a_login_on_one_is_good_on_the_other(one: Instance, other: Instance) -> None:
    user = one.register()
    issued = one.logins.login(login())
    assert (await other.who(issued.access_token)).id == user
    refreshed = other.logins.refresh(issued.refresh_token)
    assert (await one.who(refreshed.access_token)).id == user


async def test_requests_cost_no_storage_while_nothing_changes(
    one: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    _, text = one.keys.create(READER)
    one.register()
    token = one.logins.login(login()).access_token
    await one.who(text)
    await one.who(token)
    tables.calls.clear()
    for _ in range(1000):
        await one.who(text)
        await one.who(token)
    assert tables.calls == []
    # Time costs one reading of the short list for each interval, however many requests and credentials.
    for _ in range(10):
        clock.advance(seconds=DELAY_SECONDS)
        for _ in range(100):
            await one.who(text)
            await one.who(token)
    assert tables.calls == [f"query {REVOCATIONS}"] * 10


async def test_the_list_is_read_before_anybody_has_to_wait(
    one: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    _, text = one.keys.create(READER)
    await one.who(text)
    clock.advance(seconds=DELAY_SECONDS / 2)
    tables.calls.clear()
    await one.who(text)
    loading = one.revocations._loading
    assert loading is not None
    await loading
    assert tables.calls == [f"query {REVOCATIONS}"]
    clock.advance(seconds=DELAY_SECONDS * 0.9)
    tables.broken = DOWN
    await one.who(text)
    await asyncio.gather(one.revocations._loading or loading, return_exceptions=True)


async def test_a_revoked_key_is_dead_at_once_here_and_soon_everywhere(
    one: Instance, other: Instance, clock: ManualClock
) -> None:
    key, text = one.keys.create(READER)
    await one.who(text)
    await other.who(text)
    one.keys.revoke(key.id)
    with pytest.raises(Unauthenticated):
        await one.who(text)
    clock.advance(seconds=DELAY_SECONDS)
    with pytest.raises(Unauthenticated):
        await other.who(text)
    # For good: not only while the list says so.
    clock.advance(seconds=ENTRY_LIFE.total_seconds() + 3600)
    for instance in (one, other):
        with pytest.raises(Unauthenticated):
            await instance.who(text)


async def test_a_revocation_that_crosses_a_reading_of_the_list_is_not_lost(one: Instance) -> None:
    key, text = one.keys.create(READER)
    await one.who(text)
    one.revocations.add(f"key-{key.id}")
    one.revocations._listed = frozenset()  # what a reading that began before brings
    with pytest.raises(Unauthenticated):
        await one.who(text)


async def test_a_logout_on_one_ends_the_tokens_on_the_other(
    one: Instance, other: Instance, clock: ManualClock
) -> None:
    one.register()
    first = one.logins.login(login())
    second = one.logins.refresh(first.refresh_token)
    elsewhere = one.logins.login(login())
    for token in (first.access_token, second.access_token, elsewhere.access_token):
        await other.who(token)
    one.logins.logout(await one.who(first.access_token))
    clock.advance(seconds=DELAY_SECONDS)
    for token in (first.access_token, second.access_token):
        for instance in (one, other):
            with pytest.raises(Unauthenticated):
                await instance.who(token)
    await other.who(elsewhere.access_token)
    with pytest.raises(Unauthenticated):
        other.logins.refresh(second.refresh_token)


async def test_without_storage_the_known_is_good_until_revocations_are_too_old(
    one: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    _, text = one.keys.create(READER)
    await one.who(text)
    tables.broken = DOWN
    clock.advance(seconds=DELAY_SECONDS - 0.1)
    await one.who(text)
    clock.advance(seconds=0.1)
    with pytest.raises(StorageUnavailable):
        await one.who(text)
    tables.broken = None
    await one.who(text)


@pytest.mark.parametrize(("slow_readings", "answered"), [(0, True), (1, True), (2, False), (3, False)])
async def test_what_a_slow_reading_brings_is_too_old(
    slow_readings: int, answered: bool, one: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    _, text = one.keys.create(READER)
    await one.who(text)
    clock.advance(seconds=DELAY_SECONDS)
    read, left = tables.query, [slow_readings]

    def query(table: str, partition: str, **options: Any) -> list[Row]:
        if left[0]:
            left[0] -= 1
            clock.advance(seconds=DELAY_SECONDS)
        return read(table, partition, **options)

    tables.query = query  # type: ignore[method-assign]
    if answered:
        await one.who(text)
    else:
        with pytest.raises(StorageUnavailable):
            await one.who(text)


@pytest.mark.parametrize("many", [0, 999, 1000, 1001, 2000])
async def test_a_long_list_is_read_to_its_end(
    many: int, one: Instance, other: Instance, clock: ManualClock
) -> None:
    other.revocations.add(*(f"key-{number:05d}" for number in range(many)), "key-last")
    clock.advance(seconds=DELAY_SECONDS)
    await one.revocations.keep_fresh()
    assert one.revocations.any_of(["key-last"])
    assert one.revocations.any_of(["key-00000"]) == (many > 0)
    assert not one.revocations.any_of(["key-other"])


async def test_a_credential_is_looked_up_once_for_all_who_ask_together(one: Instance) -> None:
    _, text = one.keys.create(READER)
    await asyncio.gather(*(one.who(text) for _ in range(50)))
    assert one.looked_up == 1


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "x",
        "floe_",
        "floe_0123456789abcdef_short",
        "floe_0123456789ABCDEF_" + "a" * 43,
        "floe_0123456789abcdef_" + "a" * 44,
        "a.b",
        "a.b.c.d",
        "a.b.c\n",
        "é.b.c",
        "a." * 3000,
        "x" * 100_000,
    ],
)
async def test_what_is_no_credential_by_its_form_is_not_looked_up(credential: str, one: Instance) -> None:
    with pytest.raises(Unauthenticated):
        await one.who(credential)
    assert one.looked_up == 0


@pytest.mark.parametrize("change", [lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), str.upper])
async def test_a_key_that_is_almost_right(change: object, one: Instance, clock: ManualClock) -> None:
    assert callable(change)
    _, text = one.keys.create(READER)
    await one.who(text)
    with pytest.raises(Unauthenticated):
        await one.who(change(text))


async def test_the_last_use_is_written_seldom(
    one: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    _, text = one.keys.create(READER)
    begun = clock.now
    for _ in range(12 * 60):
        await one.who(text)
        clock.advance(seconds=60)
    assert tables.calls.count(f"replace {API_KEYS}") <= 12
    noted = one.keys.all()[0].last_used_at
    assert noted is not None
    assert clock.now - noted <= timedelta(minutes=75)
    assert noted > begun


async def test_noting_a_use_never_undoes_a_revocation(one: Instance, other: Instance) -> None:
    key, _text = one.keys.create(READER)
    held = one.keys._find(key.id)
    assert held is not None
    other.keys.revoke(key.id)
    one.keys._note_use(held, one.clock())
    assert one.keys.all()[0].revoked_at is not None


def test_storage_knows_no_secret(one: Instance, tables: MemoryTables) -> None:
    _, text = one.keys.create(READER)
    one.register()
    issued = one.logins.login(login())
    stored = repr(tables.rows)
    for secret in (text, text[22:], issued.refresh_token, issued.refresh_token[-43:]):
        assert secret not in stored
    assert "correct horse battery" not in stored
    assert "$argon2id$" in stored


def test_what_has_expired_is_swept(one: Instance, tables: MemoryTables, clock: ManualClock) -> None:
    one.register()
    one.logins.logout(_principal(one))
    one.logins.login(login())
    with pytest.raises(Unauthenticated):
        one.logins.login(login(password="wrong"))
    assert sweep(tables, clock) == 0
    before = len(tables.rows)
    clock.advance(days=100)
    # A signing key, a revocation, a family, attempts; the user and two claims stay.
    assert sweep(tables, clock) == 4
    assert len(tables.rows) == before - 4 == 3


def test_every_scope_is_documented() -> None:
    page = (ROOT / "docs/security.md").read_text()
    assert [scope for scope in (*SCOPES, *USER_SCOPES) if f"`{scope}`" not in page] == []
    assert "admin" not in USER_SCOPES


def _principal(one: Instance) -> object:
    token = one.logins.login(login()).access_token
    return one.access_tokens.verify(token).principal


async def test_too_many_at_once_are_turned_away() -> None:
    from shared.identity.workers import Workers

    workers, gate = Workers("test", threads=1, waiting=1), asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

    running = [asyncio.ensure_future(workers.run(wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await workers.run(wait)
    gate.set()
    await asyncio.gather(*running)
    await workers.run(lambda: None)

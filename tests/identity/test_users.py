"""Registering: names are one user's alone, with many at once, and with a failure at every call."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from devstack.provision import make_tables
from shared.adapters.table_storage import TableStorage
from shared.identity.claims import LEFT_BEHIND_AFTER
from shared.platform.clock import utc_now
from shared.platform.errors import Conflict, FloeError, StorageUnavailable
from shared.platform.state_tables import STATE_TABLES, USER_CLAIMS, USERS
from shared.platform.tables import Row
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.identity.instances import Instance, login
from tests.place import account_of

HASH = "a hash"


class Crash(Exception):
    """What ends the process, as far as the service can see."""


class FailingTables(MemoryTables):
    """Fails at write number `at`, before or after it took place."""

    def __init__(self, error: type[Exception], at: int, after: bool) -> None:
        super().__init__()
        self.error, self.at, self.after, self.writes = error, at, after, 0
        self.dead = False

    def insert(self, table: str, row: Row) -> Row:
        return self._perhaps(lambda: MemoryTables.insert(self, table, row))

    def replace(self, table: str, row: Row) -> Row:
        return self._perhaps(lambda: MemoryTables.replace(self, table, row))

    def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        self._perhaps(lambda: MemoryTables.delete(self, table, partition, key, etag))

    def _perhaps[T](self, write: Callable[[], T]) -> T:
        if self.dead:
            raise Crash
        number, self.writes = self.writes, self.writes + 1
        if number != self.at:
            return write()
        self.dead = self.error is Crash
        if self.after:
            write()
        raise self.error("failed")


def bearers(tables: MemoryTables, field: str, name: str) -> list[str]:
    """The ids of the active users who bear that name."""
    return [
        row.partition
        for (table, *_), row in tables.rows.items()
        if table == USERS and row.text("state") == "active" and row.text(field).lower() == name
    ]


@pytest.mark.parametrize("error", [StorageUnavailable, Crash])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(5))
def test_a_failure_at_any_write_leaves_no_name_taken_for_good(
    error: type[Exception], after: bool, at: int, clock: ManualClock
) -> None:
    tables = FailingTables(error, at, after)
    users = Instance(tables, clock).users
    try:
        users.register("ada", "ada@example.com", "", HASH)
        done = True
    except (StorageUnavailable, Crash):
        done = False
    tables.at, tables.dead = -1, False
    clock.advance(seconds=LEFT_BEHIND_AFTER.total_seconds())
    users = Instance(tables, clock).users
    found = users.find("username", "ada")
    if done or found:
        assert found == users.find("email", "ada@example.com") != None  # noqa: E711
        with pytest.raises(Conflict):
            users.register("ada", "other@example.com", "", HASH)
    else:
        users.register("ada", "ada@example.com", "", HASH)
    assert len(bearers(tables, "username", "ada")) == len(bearers(tables, "email", "ada@example.com")) == 1


@pytest.mark.parametrize("error", [StorageUnavailable, Crash])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(4))
def test_a_failure_at_any_write_of_a_change_leaves_no_email_taken_for_good(
    error: type[Exception], after: bool, at: int, clock: ManualClock
) -> None:
    tables = FailingTables(error, -1, after)
    users = Instance(tables, clock).users
    ada = users.register("ada", "ada@example.com", "", HASH)
    clock.advance(days=1)
    tables.at = tables.writes + at
    with contextlib.suppress(StorageUnavailable, Crash):
        users.change(ada.id, email="king@example.com")
    tables.at, tables.dead = -1, False
    clock.advance(days=1)
    users = Instance(tables, clock).users
    now = users.get(ada.id).email
    assert users.find("username", "ada") is not None
    assert users.find("email", now) is not None
    free = ({"ada@example.com", "king@example.com"} - {now}).pop()
    with pytest.raises(Conflict):
        users.register("bob", now, "", HASH)
    users.register("eve", free, "", HASH)
    assert len(bearers(tables, "email", now)) == len(bearers(tables, "email", free)) == 1


def test_one_of_many_who_want_a_name_at_once_gets_it(tables: MemoryTables, clock: ManualClock) -> None:
    check_that_one_wins(lambda: Instance(tables, clock), "ada")
    assert len(bearers(tables, "username", "ada")) == 1
    # Nothing but the winner and its two claims is left.
    assert sorted(table for table, *_ in tables.rows) == [USER_CLAIMS, USER_CLAIMS, USERS]


def test_one_of_many_wins_in_azure_tables_too(storage_connection_string: str) -> None:
    make_tables(storage_connection_string, STATE_TABLES)

    account, clock = account_of(storage_connection_string), ManualClock(utc_now())
    name = f"eve-{secrets.token_hex(4)}"  # the run's tests share one storage account
    check_that_one_wins(lambda: Instance(TableStorage(account), clock), name, 6)


def check_that_one_wins(make: Callable[[], Instance], name: str, many: int = 16) -> None:
    """Lets many register the same names at once, each on an instance of its own."""
    instances = [make() for _ in range(many)]

    def attempt(number: int) -> str | None:
        try:
            # The same names in other words.
            email = f"{name}@example.com" if number % 2 else f"{name.title()}@Example.com"
            given = name if number % 3 else name.upper()
            return instances[number].users.register(given, email, "", HASH).id
        except Conflict:
            return None

    with ThreadPoolExecutor(many) as threads:
        won = [user for user in threads.map(attempt, range(many)) if user]
    assert len(won) == 1
    found = instances[0].users.find("email", f"{name}@example.com")
    assert found is not None
    assert found.id == won[0]


def test_a_slow_registration_does_not_take_back_what_went_to_another(
    one: Instance, other: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    activate = tables.replace

    def slowly(table: str, row: Row) -> Row:
        """While the first is about to be active, a minute goes by and another one registers."""
        tables.replace = activate  # type: ignore[method-assign]
        clock.advance(seconds=LEFT_BEHIND_AFTER.total_seconds())
        other.users.register("ada", "ada@example.com", "the other", HASH)
        return activate(table, row)

    tables.replace = slowly  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        one.users.register("ada", "ada@example.com", "the first", HASH)
    found = one.users.find("username", "ada")
    assert found is not None
    assert found.full_name == "the other"
    assert len(bearers(tables, "email", "ada@example.com")) == 1


def test_a_slow_change_of_email_gives_way(
    one: Instance, other: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    ada = one.users.register("ada", "ada@example.com", "", HASH)
    write = tables.replace

    def slowly(table: str, row: Row) -> Row:
        tables.replace = write  # type: ignore[method-assign]
        clock.advance(seconds=LEFT_BEHIND_AFTER.total_seconds())
        other.users.register("bob", "new@example.com", "", HASH)
        return write(table, row)

    tables.replace = slowly  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        one.users.change(ada.id, email="new@example.com")
    assert one.users.get(ada.id).email == "ada@example.com"
    assert len(bearers(tables, "email", "new@example.com")) == 1
    assert [user.username for user in (one.users.find("email", "new@example.com"),) if user] == ["bob"]


def test_two_uses_of_a_refresh_token_at_once_end_the_family(one: Instance, other: Instance) -> None:
    one.register()
    issued = one.logins.login(login())

    def refresh(instance: Instance) -> str | None:
        try:
            return instance.logins.refresh(issued.refresh_token).refresh_token
        except FloeError:
            return None

    with ThreadPoolExecutor(2) as threads:
        given = [token for token in threads.map(refresh, (one, other)) if token]
    for token in given:
        assert refresh(one) is None, token


def test_guesses_at_once_are_counted_all(one: Instance, other: Instance) -> None:
    def guess(number: int) -> bool:
        instance = (one, other)[number % 2]
        try:
            instance.attempts.begin("ada", "192.0.2.1")
        except FloeError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(guess, range(40))) <= 5
    one.attempts.begin("ada", "192.0.2.2")
    one.attempts.begin("bob", "192.0.2.1")


def test_hashes_of_another_cost_are_made_anew_at_login(one: Instance) -> None:
    from shared.identity.passwords import HashCost, Passwords
    from tests.identity.instances import PASSWORD

    older = Passwords(HashCost(memory_kib=16, rounds=2)).hash(PASSWORD)
    user = one.users.register("ada", "ada@example.com", "", older)
    one.logins.login(login())
    renewed = one.users.get(user.id).password_hash
    assert renewed != older
    assert re.match(r"\$argon2id\$v=19\$m=8,t=1,p=1\$", renewed)
    one.logins.login(login())


def test_the_cost_of_a_hash_is_what_the_docs_say() -> None:
    from shared.identity.passwords import Passwords

    hashed = Passwords().hash("x")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert Passwords().verify(hashed, "x")
    assert not Passwords().verify(hashed, "y")
    assert not Passwords().verify(None, "nobody's password")

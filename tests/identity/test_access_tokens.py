"""Access tokens: what is good, and every forgery that is not."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from shared.identity.signing_keys import OVERLAP, PERIOD
from shared.platform.errors import Unauthenticated
from shared.platform.state_tables import SIGNING_KEYS
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.identity.forgeries import FORGERIES, claims_of, of_key, signed
from tests.identity.instances import Instance


@pytest.fixture
def token(one: Instance) -> str:
    """A good access token of a registered user."""
    return one.access_tokens.issue(one.users.get(one.register()), "f" * 32)


@pytest.mark.parametrize("how", FORGERIES)
async def test_forgeries_open_nothing(how: str, one: Instance, token: str) -> None:
    forged = FORGERIES[how](token, one.signing_keys.signing())
    with pytest.raises(Unauthenticated):
        one.access_tokens.verify(forged)
    with pytest.raises(Unauthenticated):
        await one.who(forged)


def test_the_forgeries_differ_from_what_is_good(one: Instance, token: str) -> None:
    again = signed(claims_of(token), one.signing_keys.signing())
    assert one.access_tokens.verify(again) == one.access_tokens.verify(token)


async def test_a_good_token(one: Instance, token: str) -> None:
    claims = claims_of(token)
    assert set(claims) == {
        *("iss", "aud", "sub", "iat", "exp", "jti"),
        *("family", "scopes", "plan", "account"),
    }
    assert (claims["exp"] - claims["iat"], claims["plan"]) == (3600, "free")
    assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
    principal = await one.who(token)
    assert (principal.id, principal.account, principal.kind) == (claims["sub"], claims["sub"], "user")
    assert (principal.plan, principal.may("profile:read"), principal.may("admin")) == ("free", True, False)


async def test_a_token_is_good_for_an_hour(one: Instance, token: str, clock: ManualClock) -> None:
    clock.advance(seconds=3599)
    await one.who(token)
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        await one.who(token)


async def test_another_deployment_refuses_it(token: str, tables: MemoryTables, clock: ManualClock) -> None:
    with pytest.raises(Unauthenticated):
        await Instance(tables, clock, audience="floe:production").who(token)


async def test_unknown_key_ids_do_not_reach_storage(one: Instance, token: str, tables: MemoryTables) -> None:
    key = one.signing_keys.signing()
    tables.calls.clear()
    for number in range(50):
        with pytest.raises(Unauthenticated):
            one.access_tokens.verify(of_key(f"{number}-{number:012x}")(token, key))
    period = key.id.partition("-")[0]
    for number in range(50):
        with pytest.raises(Unauthenticated):
            one.access_tokens.verify(of_key(f"{period}-{number:012x}")(token, key))
    assert tables.calls == []


async def test_keys_rotate_and_old_tokens_stay_good(
    one: Instance, other: Instance, tables: MemoryTables, clock: ManualClock
) -> None:
    user = one.users.get(one.register())
    until_next = PERIOD - (clock.now - clock.now.replace(year=2020, month=1, day=1, hour=0)) % PERIOD
    clock.advance(seconds=until_next.total_seconds() - 1)
    before = one.access_tokens.issue(user, "a" * 32)
    clock.advance(seconds=2)
    after = other.access_tokens.issue(user, "b" * 32)
    key_ids = [jwt.get_unverified_header(token)["kid"] for token in (before, after)]
    assert key_ids[0] != key_ids[1]
    for instance in (one, other):
        for token in (before, after):
            assert (await instance.who(token)).id == user.id
    # Once no token of it can be good any more, the key itself is not either.
    clock.advance(seconds=(OVERLAP + timedelta(seconds=1)).total_seconds())
    assert one.signing_keys.verifying(key_ids[0]) is None
    assert one.signing_keys.verifying(key_ids[1]) is not None


def test_instances_make_one_key_together(one: Instance, other: Instance, tables: MemoryTables) -> None:
    assert one.signing_keys.signing().id == other.signing_keys.signing().id
    assert [table for table, *_ in tables.rows] == [SIGNING_KEYS]


async def test_a_key_deleted_in_an_emergency_is_forgotten(
    one: Instance, token: str, tables: MemoryTables, clock: ManualClock
) -> None:
    for place in [place for place in tables.rows if place[0] == SIGNING_KEYS]:
        del tables.rows[place]
    clock.advance(minutes=10)
    with pytest.raises(Unauthenticated):
        await one.who(token)
    user = one.users.find("username", "ada")
    assert user is not None
    fresh = one.access_tokens.issue(user, "c" * 32)
    assert (await one.who(fresh)).kind == "user"

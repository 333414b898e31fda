"""Access tokens: what is good, and every forgery that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.identity.signing_keys import OVERLAP, PERIOD, SigningKey
from shared.platform.errors import Unauthenticated
from shared.platform.state_tables import SIGNING_KEYS
from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.identity.instances import Instance

Forge = Callable[[str, SigningKey], str]


@pytest.fixture
def token(one: Instance) -> str:
    """A good access token of a registered user."""
    return one.access_tokens.issue(one.users.get(one.register()), "f" * 32)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def part(value: Any) -> str:
    """One part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: dict[str, Any], key: SigningKey, **header: Any) -> str:
    return jwt.encode(claims, key.private, "EdDSA", headers={"kid": key.id, **header})


def changed(**values: Any) -> Forge:
    """Signed by us, with other claims; None takes one away."""

    def forge(token: str, key: SigningKey) -> str:
        claims = claims_of(token) | values
        return signed({name: value for name, value in claims.items() if value is not None}, key)

    return forge


def unsigned(token: str, key: SigningKey) -> str:
    return jwt.encode(claims_of(token), None, "none", headers={"kid": key.id})


def unsigned_in_other_words(token: str, key: SigningKey) -> str:
    return f"{part({'alg': 'nOnE', 'kid': key.id})}.{part(claims_of(token))}."


def said_to_be_unsigned(token: str, key: SigningKey) -> str:
    _, body, signature = token.split(".")
    return f"{part({'alg': 'none', 'kid': key.id})}.{body}.{signature}"


def signed_with_the_public_key_as_secret(token: str, key: SigningKey) -> str:
    public = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'kid': key.id})}.{part(claims_of(token))}"
    return f"{text}.{part(hmac.digest(public, text.encode(), hashlib.sha256))}"


def signed_by_another(token: str, key: SigningKey) -> str:
    return jwt.encode(claims_of(token), Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": key.id})


def with_its_own_key(token: str, key: SigningKey) -> str:
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes_raw()
    header = {"kid": key.id, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": part(raw)}}
    return jwt.encode(claims_of(token), own, "EdDSA", headers=header)


def of_key(key_id: Any) -> Forge:
    def forge(token: str, key: SigningKey) -> str:
        header = {"alg": "EdDSA", "typ": "JWT"} | ({} if key_id is None else {"kid": key_id})
        text = f"{part(header)}.{part(claims_of(token))}"
        return f"{text}.{part(key.private.sign(text.encode()))}"

    return forge


def with_critical_extensions(token: str, key: SigningKey) -> str:
    return signed(claims_of(token), key, crit=["b64"], b64=True)


def with_other_scopes_but_the_old_signature(token: str, key: SigningKey) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{part(claims_of(token) | {'scopes': ['*']})}.{signature}"


def cut(token: str, key: SigningKey) -> str:
    return token[:-4]


def nested_deeply(token: str, key: SigningKey) -> str:
    return f"{part(b'[' * 2000)}.{part(b'[' * 900)}.x"


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "alg nOnE": unsigned_in_other_words,
    "alg none with a signature": said_to_be_unsigned,
    "the public key as an HMAC secret": signed_with_the_public_key_as_secret,
    "another's signature": signed_by_another,
    "its own key": with_its_own_key,
    "no kid": of_key(None),
    "kid of another type": of_key(["70"]),
    "kid of nobody": of_key("70-000000000000"),
    "kid of another period": of_key("1-000000000000"),
    "kid that is a path": of_key("../../dev/null"),
    "kid of other digits": of_key("\u0667\u0660-000000000000"),
    "kid without end": of_key("9" * 500),
    "critical extensions": with_critical_extensions,
    "claims changed": with_other_scopes_but_the_old_signature,
    "cut": cut,
    "nested": nested_deeply,
    "another audience": changed(aud="floe:elsewhere"),
    "audience as a list": changed(aud=["floe:test", "floe:elsewhere"]),
    "another issuer": changed(iss="https://login.example.com"),
    "expired": changed(exp=1_700_000_000),
    "expires at a word": changed(exp="tomorrow"),
    "expires beyond time": changed(exp=10**18),
    "issued tomorrow": changed(iat=1_759_320_000),
    "scopes as a number": changed(scopes=1),
    **{f"without {name}": changed(**{name: None}) for name in ("iss", "aud", "sub", "iat", "exp", "jti")},
    **{f"without {name}": changed(**{name: None}) for name in ("family", "scopes", "plan", "account")},
}


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

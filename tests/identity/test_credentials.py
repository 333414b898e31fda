"""Headers: where a credential may stand, what split and doubled ones do, and where a request comes from."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from functions._http.auth import credential
from functions._http.client_address import client_address
from shared.platform.errors import Unauthenticated
from tests.http.conftest import KEY
from tests.identity.ada import ADA, tokens_of
from tests.identity.conftest import Send


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x-api-key": "k"}, "k"),
        ({"authorization": "Bearer k"}, "k"),
        ({"authorization": "BEARER   k  "}, "k"),
        ({"authorization": "Bearer k", "x-api-key": "k"}, "k"),
        ({"authorization": "Basic dXNlcg==", "x-api-key": "k"}, "k"),
        ({"x-api-key": "", "authorization": "Bearer k"}, "k"),
        ({"authorization": "Bearer a.b-c_d~e+f/g=="}, "a.b-c_d~e+f/g=="),
        ({}, None),
        ({"x-api-key": ""}, None),
        ({"authorization": ""}, None),
        ({"authorization": "Bearer"}, None),
        ({"authorization": "Bearer "}, None),
        ({"authorization": "Bearerk"}, None),
        ({"authorization": "k"}, None),
        ({"authorization": "Basic dXNlcg=="}, None),
        ({"authorization": "Bearer k, Bearer k"}, None),
        ({"authorization": "Bearer k,k"}, None),
        ({"authorization": "Basic x, Bearer k"}, None),
        ({"authorization": "Bearer k l"}, None),
        ({"authorization": "Bearer\tk"}, None),
        ({"authorization": "Bearer k\r\nX-API-Key: l"}, None),
        ({"authorization": "Bearer \u212a"}, None),
        ({"authorization": "Bearer k", "x-api-key": "l"}, None),
        ({"cookie": "token=k", "proxy-authorization": "Bearer k"}, None),
    ],
)
def test_where_a_credential_stands(headers: dict[str, str], found: str | None) -> None:
    if found is None:
        with pytest.raises(Unauthenticated):
            credential(headers)
    else:
        assert credential(headers) == found


async def test_a_key_never_counts_from_the_query_or_the_body(send: Send) -> None:
    for name in ("key", "api_key", "token", "access_token", "X-API-Key"):
        assert (await send("list_keys", query={name: KEY})).status == 401
        assert (await send("log_out", {name: KEY})).status == 401


async def test_doubled_headers(send: Send) -> None:
    token = (await tokens_of(send))["access_token"]
    for value in (f"Bearer {token}, Bearer {token}", f"Bearer {token},Bearer {KEY}", f"Bearer {token} {KEY}"):
        assert (await send("get_me", headers={"Authorization": value})).status == 401
    assert (await send("get_me", headers={"X-API-Key": f"{KEY},{KEY}"})).status == 401
    assert (await send("get_me", key=KEY, token=token)).status == 401
    assert (await send("get_me", key=token)).status == 200


async def test_oversized_credentials(send: Send) -> None:
    for length in (5_000, 1_000_000):
        assert (await send("get_me", headers={"Authorization": "Bearer " + "a" * length})).status == 401
        assert (await send("get_me", headers={"Authorization": "Bearer a.b." + "c" * length})).status == 401


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50123", "192.0.2.1"),
        ("10.0.0.1, 192.0.2.1:1", "192.0.2.1"),
        ("192.0.2.1, ", "unknown"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("localhost", "unknown"),
        ("192.0.2.1; drop", "unknown"),
        ("x" * 10_000, "unknown"),
    ],
)
def test_where_a_request_comes_from(forwarded: str | None, address: str) -> None:
    assert client_address({} if forwarded is None else {"x-forwarded-for": forwarded}) == address


@pytest.mark.parametrize(
    ("forwarded", "hops", "address"),
    [
        ("192.0.2.1, 10.0.0.1", 1, "192.0.2.1"),
        ("198.51.100.1, 192.0.2.1, 10.0.0.1", 1, "192.0.2.1"),
        ("192.0.2.1, 10.0.0.1, 10.0.0.2", 2, "192.0.2.1"),
        ("192.0.2.1", 1, "unknown"),
        ("", 1, "unknown"),
    ],
)
def test_proxies_of_ones_own_are_not_the_client(forwarded: str, hops: int, address: str) -> None:
    assert client_address({"x-forwarded-for": forwarded}, hops) == address


async def test_no_secret_is_logged_or_told(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    async def ask(name: str, body: Any = None, **options: Any) -> Any:
        answer = await send(name, body, **options)
        told.append(answer.body.decode() if answer.status >= 400 else "")
        return answer.json

    tokens = await tokens_of(send)
    key = (await ask("create_key", {"name": "x", "scopes": ["admin"]}, key=KEY))["key"]
    right = {"username": "ada", "password": ADA["password"]}
    await ask("log_in", right | {"password": "a wrong password"})
    await ask("log_in", right | {"password": "a wrong password", "email": "x"})
    await ask("register_user", ADA)
    await ask("register_user", ADA | {"email": "x"})
    await ask("get_me", token=tokens["access_token"][:-3])
    await ask("get_me", key=key)
    await ask("get_me", key=key + "x")
    await ask("refresh_tokens", {"refresh_token": tokens["refresh_token"] + "x"})
    await ask("refresh_tokens", {"refresh_token": tokens["refresh_token"]})
    await ask("refresh_tokens", {"refresh_token": tokens["refresh_token"]})
    await ask("log_out", {}, token=tokens["access_token"])
    everything = caplog.text + "".join(told)
    assert "refresh token used twice" in everything
    secrets = [ADA["password"], "a wrong password", KEY, key, key[22:], *tokens.values()]
    for secret in [one for one in secrets if isinstance(one, str) and one != "bearer"]:
        assert secret not in everything
    assert tokens["access_token"].rpartition(".")[2] not in everything
    assert tokens["refresh_token"][-43:] not in everything

"""Refreshing and logging out as clients see them."""

from __future__ import annotations

from tests.fakes.tables import MemoryTables
from tests.http.conftest import KEY
from tests.identity.ada import ADA, TOKENS, tokens_of
from tests.identity.conftest import Send


async def test_refresh(send: Send) -> None:
    first = await tokens_of(send)
    second = await send("refresh_tokens", {"refresh_token": first["refresh_token"]})
    assert (second.status, set(second.json)) == (200, TOKENS)
    assert second.json["refresh_token"] != first["refresh_token"]
    assert (await send("get_me", token=second.json["access_token"])).status == 200
    for token in ("", "x", "flor_" + "0" * 32 + "_" + "a" * 43, first["access_token"], "x" * 1025):
        answer = await send("refresh_tokens", {"refresh_token": token})
        assert answer.status == (401 if 0 < len(token) <= 1024 else 400)


async def test_a_refresh_token_used_twice_ends_its_family(send: Send) -> None:
    first, bystander = await tokens_of(send), await tokens_of(send, "bob")
    second = (await send("refresh_tokens", {"refresh_token": first["refresh_token"]})).json
    assert (await send("refresh_tokens", {"refresh_token": first["refresh_token"]})).status == 401
    assert (await send("refresh_tokens", {"refresh_token": second["refresh_token"]})).status == 401
    for tokens in (first, second):
        assert (await send("get_me", token=tokens["access_token"])).status == 401
    assert (await send("get_me", token=bystander["access_token"])).status == 200


async def test_log_out(send: Send) -> None:
    first = await tokens_of(send)
    again = (await send("log_in", {"username": "ada", "password": ADA["password"]})).json
    answer = await send("log_out", {}, token=first["access_token"])
    assert (answer.status, answer.json) == (200, {"message": "Successfully logged out"})
    assert (await send("log_out", {}, token=first["access_token"])).status == 401
    assert (await send("get_me", token=first["access_token"])).status == 401
    assert (await send("refresh_tokens", {"refresh_token": first["refresh_token"]})).status == 401
    assert (await send("get_me", token=again["access_token"])).status == 200
    assert (await send("log_out", {}, key=KEY)).status == 403


async def test_storage_that_is_down_is_said_plainly(send: Send, tables: MemoryTables) -> None:
    from shared.platform.errors import StorageUnavailable

    token = (await tokens_of(send))["access_token"]
    tables.broken = StorageUnavailable("storage did not answer for the table users")
    answer = await send("get_me", token=token)
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    assert (await send("log_in", {"username": "ada", "password": "x"})).status == 503
    assert (await send("list_keys", key="floe_" + "0" * 16 + "_" + "a" * 43)).status == 503
    # The key of the settings needs no storage to be recognised.
    assert (await send("get_openapi", key=KEY)).status == 200

"""The operations as clients see them: shapes, statuses, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import ManualClock
from tests.fakes.tables import MemoryTables
from tests.http.conftest import KEY, Configure
from tests.identity.conftest import Send

ADA = {
    "username": "ada",
    "password": "correct horse battery",
    "email": "ada@example.com",
    "full_name": "Ada Lovelace",
}
TOKENS = {"access_token", "refresh_token", "token_type", "expires_in"}
PROFILE = {"id", "username", "email", "full_name", "is_active", "created_at", "updated_at"}


async def tokens_of(send: Send, name: str = "ada") -> dict[str, Any]:
    """The tokens of a user who is registered first."""
    user = ADA | {"username": name, "email": f"{name}@example.com"}
    assert (await send("register_user", user)).status == 201
    answer = await send("log_in", {"username": name, "password": ADA["password"]})
    assert answer.status == 200
    tokens: dict[str, Any] = answer.json
    return tokens


@pytest.mark.parametrize("operation", ["register_user", "register_account"])
async def test_register(operation: str, send: Send) -> None:
    answer = await send(operation, ADA)
    assert answer.status == 201
    assert set(answer.json) == PROFILE
    assert {name: answer.json[name] for name in ("username", "email", "full_name", "is_active")} == {
        "username": "ada",
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "is_active": True,
    }
    assert answer.json["created_at"] == "2025-09-30T12:00:00Z"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "a" * 65}, "username"),
        ({"username": "a b c"}, "username"),
        ({"username": "ada\n"}, "username"),
        ({"username": "адаада"}, "username"),
        ({"username": None}, "username"),
        ({"password": "seven77"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": 12345678}, "password"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@"}, "email"),
        ({"email": "@example.com"}, "email"),
        ({"email": "ada@localhost"}, "email"),
        ({"email": "a..b@example.com"}, "email"),
        ({"email": "ada@exa mple.com"}, "email"),
        ({"email": "ada@example.com\n"}, "email"),
        ({"email": "a" * 65 + "@example.com"}, "email"),
        ({"email": "ada@-example.com"}, "email"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"full_name": "a\u0000b"}, "full_name"),
    ],
)
async def test_what_does_not_register(change: dict[str, Any], field: str, send: Send) -> None:
    answer = await send("register_user", ADA | change)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["details"]["field"]) == (400, "VALIDATION_ERROR", field)
    assert "seven77" not in answer.body.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "other@example.com"}, "username"),
        ({"email": "other@example.com", "username": "ADA"}, "username"),
        ({"username": "other"}, "email"),
        ({"username": "other", "email": "Ada@Example.COM"}, "email"),
    ],
)
async def test_names_are_unique(change: dict[str, str], field: str, send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("register_user", ADA | change)
    assert (answer.status, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert answer.json["error"]["details"]["field"] == field
    # What failed left nothing behind.
    assert (
        await send("register_user", ADA | {"username": "other", "email": "other@example.com"})
    ).status == 201


async def test_registration_is_closed_unless_set(send: Send, configure: Configure) -> None:
    configure(registration="closed")
    assert (await send("register_user", ADA)).status == 401
    assert (await send("register_account", ADA, key="wrong")).status == 401
    assert (await send("register_user", ADA, key=KEY)).status == 201


@pytest.mark.parametrize(
    "name",
    [{"username": "ada"}, {"username": "ADA"}, {"email": "ada@example.com"}, {"email": "Ada@Example.com"}],
)
async def test_log_in_by_either_name(name: dict[str, str], send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("log_in", name | {"password": ADA["password"]})
    assert (answer.status, set(answer.json)) == (200, TOKENS)
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_log_in_within_the_envelope(send: Send) -> None:
    await send("register_user", ADA)
    right = {"username": "ada", "password": ADA["password"]}
    answer = await send("log_in_enveloped", right, path="/api/v1/auth/login")
    assert (answer.status, answer.json["success"], set(answer.json["data"])) == (200, True, TOKENS)
    wrong = await send("log_in_enveloped", right | {"password": "x"}, path="/api/v1/auth/login")
    assert (wrong.status, wrong.json["error"]["code"]) == (401, "AUTHENTICATION_ERROR")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ada", "password": "wrong password"}, 401),
        ({"username": "nobody", "password": "correct horse battery"}, 401),
        ({"email": "nobody@example.com", "password": "correct horse battery"}, 401),
        ({"username": "ada@example.com", "password": "correct horse battery"}, 401),
        ({"username": "ada", "email": "ada@example.com", "password": "x"}, 400),
        ({"password": "x"}, 400),
        ({"username": "ada"}, 400),
        ({"username": "", "password": "x"}, 400),
        ({"username": "ada", "password": ""}, 400),
        ({"username": "ada", "password": "x" * 1025}, 400),
        ({"username": ["ada"], "password": "x"}, 400),
        ({"username": "ada/\\#?\u0000", "password": "x"}, 401),
    ],
)
async def test_what_does_not_log_in(body: dict[str, Any], status: int, send: Send) -> None:
    await send("register_user", ADA)
    answer = await send("log_in", body)
    assert answer.status == status
    assert "horse" not in answer.body.decode()


async def test_unknown_users_and_wrong_passwords_are_told_the_same(send: Send, tables: MemoryTables) -> None:
    await send("register_user", ADA)
    bodies, calls = [], []
    for name in ("ada", "nobody"):
        tables.calls.clear()
        answer = await send("log_in", {"username": name, "password": "wrong password"})
        bodies.append(answer.json["error"] | {"timestamp": "", "request_id": ""})
        calls.append([*tables.calls])
    assert bodies[0] == bodies[1]
    assert calls[0] == calls[1]


async def test_too_many_wrong_passwords_wait(send: Send, clock: ManualClock) -> None:
    await send("register_user", ADA)
    right, wrong = ({"username": "ada", "password": word} for word in (ADA["password"], "wrong password"))
    there = {"X-Forwarded-For": "203.0.113.9:4711"}
    for _ in range(5):
        assert (await send("log_in", wrong, headers=there)).status == 401
    refused = await send("log_in", right, headers=there)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "15")
    assert (await send("log_in", right, headers={"X-Forwarded-For": "203.0.113.9, 192.0.2.7"})).status == 200
    clock.advance(seconds=15)
    assert (await send("log_in", right, headers=there)).status == 200
    assert (await send("log_in", wrong, headers=there)).status == 401


async def test_profile(send: Send, clock: ManualClock) -> None:
    token = (await tokens_of(send))["access_token"]
    mine = await send("get_me", token=token)
    assert (mine.status, set(mine.json), mine.json["username"]) == (200, PROFILE, "ada")
    clock.advance(seconds=1)
    changed = await send("change_me", {"full_name": "Ada King"}, token=token, method="PUT")
    assert changed.json == mine.json | {"full_name": "Ada King", "updated_at": "2025-09-30T12:00:01Z"}
    moved = await send("change_me", {"email": "king@example.com"}, token=token, method="PUT")
    assert (await send("get_me", token=token)).json == moved.json
    for email, status in (("king@example.com", 200), ("ada@example.com", 401)):
        answer = await send("log_in", {"email": email, "password": ADA["password"]})
        assert answer.status == status
    again = ADA | {"username": "other"}
    assert (await send("register_user", again)).status == 201


async def test_nobody_takes_anothers_email(send: Send) -> None:
    await tokens_of(send, "bob")
    token = (await tokens_of(send))["access_token"]
    answer = await send("change_me", {"email": "BOB@example.com"}, token=token, method="PUT")
    assert (answer.status, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert (await send("get_me", token=token)).json["email"] == "ada@example.com"


@pytest.mark.parametrize("body", [{"email": "x"}, {"full_name": 1}, [], {"email": ""}])
async def test_wrong_changes(body: Any, send: Send) -> None:
    token = (await tokens_of(send))["access_token"]
    assert (await send("change_me", body, token=token, method="PUT")).status == 400


async def test_each_sees_only_their_own_profile(send: Send) -> None:
    ada, bob = await tokens_of(send), await tokens_of(send, "bob")
    assert (await send("get_me", token=ada["access_token"])).json["username"] == "ada"
    assert (await send("get_me", token=bob["access_token"])).json["username"] == "bob"
    # What else they send along does not matter.
    told = await send(
        "change_me",
        {"id": "x", "username": "ada", "plan": "enterprise", "scopes": ["*"], "full_name": "B"},
        token=bob["access_token"],
        method="PUT",
    )
    assert (told.json["username"], told.json["full_name"]) == ("bob", "B")
    assert (await send("list_keys", token=bob["access_token"])).status == 403


async def test_keys_belong_to_no_user_unless_made_for_one(send: Send) -> None:
    assert (await send("get_me", key=KEY)).status == 404
    user = (await send("register_user", ADA)).json["id"]
    wanted = {"name": "ada's", "scopes": ["profile:read"], "account": user}
    made = await send("create_key", wanted, key=KEY)
    assert (await send("get_me", key=made.json["key"])).json["username"] == "ada"
    assert (await send("change_me", {}, key=made.json["key"], method="PUT")).status == 403


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


@pytest.mark.parametrize("place", ["", "_admin"])
async def test_keys(place: str, send: Send, clock: ManualClock) -> None:
    wanted = {"name": "greenhouse", "scopes": ["events:write", "profile:read"], "plan": "professional"}
    made = await send(f"create{place}_key", wanted, key=KEY)
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    key = made.json["key"]
    assert key.startswith(made.json["prefix"] + "_")
    assert len(key) == len(made.json["prefix"]) + 1 + 43
    listed = await send(f"list{place}_keys", key=KEY)
    assert (listed.json["total"], listed.json["page"], len(listed.json["items"])) == (1, 1, 1)
    item = listed.json["items"][0]
    assert item == {name: value for name, value in made.json.items() if name != "key"}
    assert (await send("get_me", key=key)).status == 404
    # What it may do is let through, to where the content type is refused.
    text = {"Content-Type": "text/plain"}
    assert (await send("create_event", {}, token=key, headers=text)).status == 415
    assert (await send("list_keys", key=key)).status == 403
    revoked = await send(f"revoke{place}_key", key=KEY, method="DELETE", route={"id": item["id"]})
    assert (revoked.status, revoked.json["id"]) == (200, item["id"])
    assert (await send("get_me", key=key)).status == 401
    last = (await send(f"list{place}_keys", key=KEY)).json["items"][0]
    assert (last["status"], last["last_used_at"]) == ("revoked", "2025-09-30T12:00:00Z")
    for missing in ("0" * 16, "a/b", "..", "x"):
        assert (
            await send(f"revoke{place}_key", key=KEY, method="DELETE", route={"id": missing})
        ).status == 404


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": "", "scopes": ["admin"]}, 400),
        ({"name": "x\n", "scopes": ["admin"]}, 400),
        ({"name": "x", "scopes": []}, 400),
        ({"name": "x"}, 400),
        ({"name": "x", "scopes": ["everything"]}, 400),
        ({"name": "x", "scopes": ["admin"], "plan": "anonymous"}, 400),
        ({"name": "x", "scopes": ["admin"], "account": "a/b"}, 400),
        ({"name": "x", "scopes": ["admin"], "expires_at": "yesterday"}, 400),
        ({"name": "x", "scopes": ["admin"], "expires_at": "2025-09-30T12:00:00Z"}, 400),
        ({"name": "x", "scopes": ["*"]}, 201),
    ],
)
async def test_what_becomes_a_key(wanted: dict[str, Any], status: int, send: Send) -> None:
    assert (await send("create_key", wanted, key=KEY)).status == status


async def test_nobody_gives_a_scope_that_they_do_not_have(send: Send) -> None:
    limited = (await send("create_key", {"name": "x", "scopes": ["admin", "events:read"]}, key=KEY)).json[
        "key"
    ]
    for scopes, status in (
        (["admin"], 201),
        (["events:read"], 201),
        (["events:write"], 403),
        (["*"], 403),
    ):
        assert (await send("create_key", {"name": "y", "scopes": scopes}, key=limited)).status == status


async def test_pages_of_keys(send: Send, clock: ManualClock) -> None:
    for name in ("b", "a", "d", "c"):
        await send("create_key", {"name": name, "scopes": ["admin"]}, key=KEY)
        clock.advance(seconds=1)

    async def names(**query: str) -> list[str]:
        answer = await send("list_keys", key=KEY, query=query)
        return [item["name"] for item in answer.json["items"]]

    assert await names() == ["b", "a", "d", "c"]
    assert await names(sort="name", per_page="2", page="2") == ["c", "d"]
    assert await names(sort="created_at", order="desc", per_page="1") == ["c"]
    assert await names(sort="last_used_at", filter="A") == ["a"]
    assert await names(page="9") == []
    for wrong in ({"page": "0"}, {"per_page": "1001"}, {"sort": "secret"}, {"order": "up"}):
        assert (await send("list_keys", key=KEY, query=wrong)).status == 400


async def test_a_key_expires(send: Send, clock: ManualClock) -> None:
    wanted = {"name": "x", "scopes": ["admin"], "expires_at": "2025-09-30T12:01:00Z"}
    key = (await send("create_key", wanted, key=KEY)).json["key"]
    assert (await send("list_keys", key=key)).status == 200
    clock.advance(seconds=60)
    assert (await send("list_keys", key=key)).status == 401
    assert (await send("list_keys", key=KEY)).json["items"][0]["status"] == "expired"


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

"""API keys as administrators see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clock import ManualClock
from tests.http.conftest import KEY
from tests.identity.conftest import Send


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

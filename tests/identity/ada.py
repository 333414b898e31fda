"""A user to test with, and the shapes of what is told of users."""

from __future__ import annotations

from typing import Any

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

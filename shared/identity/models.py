"""Who asks, and what is known of keys and users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.identity.scopes import EVERYTHING

Kind = Literal["key", "user", "local", "anonymous"]
# Names that are one user's alone.
NameKind = Literal["username", "email"]
# What rate limits go by.
Plan = Literal["anonymous", "free", "professional", "enterprise"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks; `*` among the scopes stands for every scope. What belongs to somebody belongs to `account`.

    `credential` names the key (`key-<id>`) or the token's family (`family-<id>`) that the request came with.
    """

    id: str
    scopes: frozenset[str] = frozenset()
    plan: Plan = "anonymous"
    account: str = ""
    kind: Kind = "anonymous"
    credential: str = ""

    def may(self, scope: str | None) -> bool:
        """Whether `scope` is among this principal's; no scope asked for is always allowed."""
        return scope is None or scope in self.scopes or EVERYTHING in self.scopes


ANONYMOUS = Principal("anonymous")
# Whoever calls an operation that the local mode leaves open.
LOCAL = Principal("local", plan="enterprise", account="local", kind="local")
# The holder of the key whose SHA-256 is a setting.
ADMINISTRATOR = Principal("administrator", frozenset({EVERYTHING}), "enterprise", "administrator", "key")


@dataclass(frozen=True, slots=True)
class Verified:
    """Credentials that were found good: until when, and the ids by which they can be revoked before."""

    principal: Principal
    expires_at: datetime
    revocable_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key without its secret; `prefix` is its beginning, by which its holder recognises it."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    plan: Plan
    account: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def status(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether it opens anything."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is to be."""

    name: str
    scopes: Sequence[str]
    plan: Plan = "free"
    account: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user; the password is known as its hash only."""

    id: str
    username: str
    email: str
    full_name: str
    password_hash: str = field(repr=False)
    plan: Plan
    is_active: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to log in, by which kind of name, and from which address."""

    kind: NameKind
    name: str
    password: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a login or a refresh gives; `expires_in` is the access token's, in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int

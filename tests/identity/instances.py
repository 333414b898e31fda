"""Instances of the identity services, as processes of their own would have them, over one storage."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from shared.identity.access_tokens import AccessTokens
from shared.identity.authentication import Authenticator, verifier
from shared.identity.claims import Claims
from shared.identity.keys import ApiKeys
from shared.identity.login_attempts import LoginAttempts
from shared.identity.logins import Logins
from shared.identity.models import Login, Principal
from shared.identity.passwords import HashCost, Passwords
from shared.identity.refresh_tokens import RefreshTokens
from shared.identity.revocations import Revocations
from shared.identity.signing_keys import SigningKeys
from shared.identity.users import Users
from shared.platform.tables import Tables
from tests.fakes.clock import ManualClock

PASSWORD = "correct horse battery"
CHEAP = Passwords(HashCost(memory_kib=8, rounds=1))


class Instance:
    """One instance; `clock` is the time of all of them, and its ticks too."""

    def __init__(self, tables: Tables, clock: ManualClock, audience: str = "floe:test") -> None:
        self.clock = clock
        self.looked_up = 0
        self.revocations = Revocations(lambda: tables, clock, ticks=self.ticks)
        self.keys = ApiKeys(tables, self.revocations, clock)
        self.signing_keys = SigningKeys(tables, clock, ticks=self.ticks)
        self.access_tokens = AccessTokens(self.signing_keys, audience, clock)
        self.users = Users(tables, Claims(tables, clock), clock)
        self.refresh_tokens = RefreshTokens(tables, self.revocations, clock)
        self.attempts = LoginAttempts(tables, clock)
        self.logins = Logins(self.users, CHEAP, self.attempts, self.refresh_tokens, self.access_tokens)
        verify = verifier(self.keys.verify, self.access_tokens.verify)
        self.authenticator = Authenticator(verify, self.revocations, self._offload, clock)

    def ticks(self) -> float:
        """Monotonic seconds."""
        return self.clock.now.timestamp()

    async def _offload[T](self, call: Callable[[], T]) -> T:
        self.looked_up += 1
        return await asyncio.to_thread(call)

    def who(self, credential: str) -> Awaitable[Principal]:
        """Whose credential this is."""
        return self.authenticator.principal(credential, hashlib.sha256(credential.encode()).digest())

    def register(self, name: str = "ada") -> str:
        """A user of that name; their id."""
        return self.logins.register(name, f"{name}@example.com", name.title(), PASSWORD).id


def login(name: str = "ada", password: str = PASSWORD, address: str = "192.0.2.1") -> Login:
    """A login by username."""
    return Login("username", name, password, address)

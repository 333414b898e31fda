"""What the operations on users, logins and keys call: everything that blocks, off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.identity.models import ApiKey, IssuedTokens, Login, NewKey, Principal, User
from shared.identity.workers import Workers

if TYPE_CHECKING:
    from shared.identity.keys import ApiKeys
    from shared.identity.logins import Logins
    from shared.identity.users import Users


class IdentityService:
    """The parts are asked for in a thread when first needed, for making them imports much.

    `hashing` bounds how many passwords are hashed at once, and with it their memory.
    """

    def __init__(
        self,
        keys: Callable[[], ApiKeys],
        users: Callable[[], Users],
        logins: Callable[[], Logins],
        *,
        hashing: Workers,
        reading: Workers,
    ) -> None:
        self._keys = keys
        self._users = users
        self._logins = logins
        self._hashing = hashing
        self._reading = reading

    async def login(self, login: Login) -> IssuedTokens:
        """See Logins."""
        return await self._hashing.run(lambda: self._logins().login(login))

    async def register(self, username: str, email: str, full_name: str, password: str) -> User:
        """See Logins."""
        return await self._hashing.run(lambda: self._logins().register(username, email, full_name, password))

    async def refresh(self, refresh_token: str) -> IssuedTokens:
        """See Logins."""
        return await self._reading.run(lambda: self._logins().refresh(refresh_token))

    async def logout(self, principal: Principal) -> None:
        """See Logins."""
        await self._reading.run(lambda: self._logins().logout(principal))

    async def user(self, user_id: str) -> User:
        """See Users.get."""
        return await self._reading.run(lambda: self._users().get(user_id))

    async def change_user(self, user_id: str, *, full_name: str | None, email: str | None) -> User:
        """See Users.change."""
        return await self._reading.run(
            lambda: self._users().change(user_id, full_name=full_name, email=email)
        )

    async def keys(self) -> list[ApiKey]:
        """See ApiKeys.all."""
        return await self._reading.run(lambda: self._keys().all())

    async def create_key(self, wanted: NewKey) -> tuple[ApiKey, str]:
        """See ApiKeys.create."""
        return await self._reading.run(lambda: self._keys().create(wanted))

    async def revoke_key(self, key_id: str) -> ApiKey:
        """See ApiKeys.revoke."""
        return await self._reading.run(lambda: self._keys().revoke(key_id))

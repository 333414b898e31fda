"""Logins: from a password to tokens, from a refresh token to new ones, and the end of both."""

from __future__ import annotations

from shared.identity.access_tokens import LIFETIME, AccessTokens
from shared.identity.login_attempts import LoginAttempts
from shared.identity.models import IssuedTokens, Login, Principal, User
from shared.identity.passwords import Passwords
from shared.identity.refresh_tokens import RefreshTokens, Rotated
from shared.identity.users import Users
from shared.platform.errors import Forbidden, NotFound, Unauthenticated
from shared.platform.logs import get_log

_log = get_log("identity")


class Logins:
    """Every method blocks; `login` and `register` hash passwords: the caller bounds how many run at once."""

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        attempts: LoginAttempts,
        refresh_tokens: RefreshTokens,
        access_tokens: AccessTokens,
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._attempts = attempts
        self._refresh_tokens = refresh_tokens
        self._access_tokens = access_tokens

    def register(self, username: str, email: str, full_name: str, password: str) -> User:
        """A new user; raises Conflict where the username or the email is taken."""
        return self._users.register(username, email, full_name, self._passwords.hash(password))

    def login(self, login: Login) -> IssuedTokens:
        """Tokens of a new family.

        Raises Unauthenticated, in the same words and time whether the user exists or not, and RateLimited
        after too many attempts at this name from this address.
        """
        self._attempts.begin(login.name, login.address)
        user = self._users.find(login.kind, login.name)
        right = self._passwords.verify(user.password_hash if user else None, login.password)
        if user is None or not right or not user.is_active:
            raise Unauthenticated("The name or the password is wrong")
        self._attempts.succeed(login.name, login.address)
        if self._passwords.outdated(user.password_hash):
            self._users.rehash(user, self._passwords.hash(login.password))
        _log.info("logged in", user=user.id)
        return self._issue(user, self._refresh_tokens.begin(user.id))

    def refresh(self, refresh_token: str) -> IssuedTokens:
        """New tokens of the same family; raises Unauthenticated, see RefreshTokens.rotate."""
        rotated = self._refresh_tokens.rotate(refresh_token)
        try:
            user = self._users.get(rotated.user)
        except NotFound:
            user = None
        if user is None or not user.is_active:
            self._refresh_tokens.end(rotated.family)
            raise Unauthenticated("The refresh token is not valid")
        return self._issue(user, rotated)

    def logout(self, principal: Principal) -> None:
        """Ends the family of the token that `principal` came with, that token included."""
        kind, _, family = principal.credential.partition("-")
        if kind != "family":
            raise Forbidden("Only an access token can be logged out; an API key is revoked")
        self._refresh_tokens.end(family)
        _log.info("logged out", user=principal.id)

    def _issue(self, user: User, rotated: Rotated) -> IssuedTokens:
        access_token = self._access_tokens.issue(user, rotated.family)
        return IssuedTokens(access_token, rotated.token, int(LIFETIME.total_seconds()))

"""Who asks, and how much they may."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.platform.clock import utc_now
from shared.runtime import storage
from shared.runtime.configuration import settings

if TYPE_CHECKING:
    from shared.identity.access_tokens import AccessTokens
    from shared.identity.authentication import Authenticator, Verify
    from shared.identity.keys import ApiKeys
    from shared.identity.logins import Logins
    from shared.identity.revocations import Revocations
    from shared.identity.service import IdentityService
    from shared.identity.users import Users
    from shared.limits.limiter import Limiter
    from shared.limits.rules import Limits


@cache
def authenticator() -> Authenticator:
    """Who asks, for every request with credentials."""
    from shared.identity.authentication import Authenticator
    from shared.identity.workers import Workers

    workers = Workers("verify", threads=4, waiting=10_000)
    return Authenticator(lambda given: verify_credential()(given), revocations(), workers.run, utc_now)


@cache
def identity() -> IdentityService:
    """Users, logins and API keys."""
    from shared.identity.service import IdentityService
    from shared.identity.workers import Workers

    return IdentityService(
        api_keys,
        users,
        logins,
        hashing=Workers("hash", threads=2, waiting=32),
        reading=Workers("identity", threads=4, waiting=200),
    )


@cache
def limiter() -> Limiter:
    """Counts requests against the rate limits."""
    from shared.identity.workers import Workers
    from shared.limits.limiter import Limiter
    from shared.limits.quotas import Quotas

    return Limiter(Quotas(storage.tables), Workers("limits", threads=2, waiting=1000).run)


@cache
def limits() -> Limits:
    """How many requests each rule allows."""
    from shared.limits.rules import limits_of

    return limits_of(settings())


def sweep_identity() -> int:
    """Deletes what has expired of tokens, revocations and login attempts; how many rows."""
    from shared.identity.sweep import sweep

    return sweep(storage.tables(), utc_now)


@cache
def revocations() -> Revocations:
    """Credentials that are valid no more."""
    from shared.identity.revocations import Revocations
    from shared.identity.workers import Workers

    return Revocations(storage.tables, utc_now, offload=Workers("revocations", threads=1, waiting=1).run)


@cache
def verify_credential() -> Verify:
    """Whose a key or a token is."""
    from shared.identity.authentication import verifier

    return verifier(api_keys().verify, access_tokens().verify)


@cache
def api_keys() -> ApiKeys:
    """API keys."""
    from shared.identity.keys import ApiKeys

    return ApiKeys(storage.tables(), revocations(), utc_now)


@cache
def access_tokens() -> AccessTokens:
    """Signed tokens of short life."""
    from shared.identity.access_tokens import AccessTokens
    from shared.identity.signing_keys import SigningKeys

    return AccessTokens(SigningKeys(storage.tables(), utc_now), f"floe:{settings().environment}", utc_now)


@cache
def users() -> Users:
    """Users and their claims on names."""
    from shared.identity.claims import Claims
    from shared.identity.users import Users

    return Users(storage.tables(), Claims(storage.tables(), utc_now), utc_now)


@cache
def logins() -> Logins:
    """Logins by password, and the tokens they give."""
    from shared.identity.login_attempts import LoginAttempts
    from shared.identity.logins import Logins
    from shared.identity.passwords import Passwords
    from shared.identity.refresh_tokens import RefreshTokens

    return Logins(
        users(),
        Passwords(),
        LoginAttempts(storage.tables(), utc_now),
        RefreshTokens(storage.tables(), revocations(), utc_now),
        access_tokens(),
    )

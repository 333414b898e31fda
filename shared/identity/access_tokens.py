"""Access tokens: JWTs, signed with Ed25519, good for an hour on every instance."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt

from shared.identity.models import Plan, Principal, User, Verified
from shared.identity.scopes import USER_SCOPES
from shared.identity.signing_keys import SigningKeys
from shared.platform.clock import Clock
from shared.platform.errors import Unauthenticated

LIFETIME = timedelta(hours=1)
ISSUER = "floe"
_ALGORITHM = "EdDSA"
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti", "family", "scopes", "plan", "account"]
# Clocks of two instances may differ by this much.
_SKEW = timedelta(seconds=30)
_INVALID = "The access token is not valid"


class AccessTokens:
    """Issues and verifies; `audience` names the deployment. Blocks while a signing key is not in memory."""

    def __init__(self, keys: SigningKeys, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._audience = audience
        self._clock = clock

    def issue(self, user: User, family: str) -> str:
        """A token for `user`, of the family that its refresh token belongs to."""
        now, key = self._clock(), self._keys.signing()
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": user.id,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_hex(12),
            "family": family,
            "scopes": list(USER_SCOPES),
            "plan": user.plan,
            "account": user.id,
        }
        return jwt.encode(claims, key.private, _ALGORITHM, headers={"kid": key.id})

    def verify(self, token: str) -> Verified:
        """Whose token this is; raises Unauthenticated."""
        claims = self._claims(token)
        now = self._clock()
        try:
            issued, expires = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
            principal = Principal(
                id=claims["sub"],
                scopes=frozenset(claims["scopes"]),
                plan=cast(Plan, claims["plan"]),
                account=claims["account"],
                kind="user",
                credential=f"family-{claims['family']}",
            )
        except (TypeError, ValueError, OverflowError, OSError):
            raise Unauthenticated(_INVALID) from None
        if issued > now + _SKEW:
            raise Unauthenticated(_INVALID)
        if expires <= now:
            raise Unauthenticated("The access token has expired")
        return Verified(principal, expires, (principal.credential,))

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of our keys signed for us; times are not looked at yet."""
        try:
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            key = self._keys.verifying(key_id) if isinstance(key_id, str) else None
            if key is None or header.get("alg") != _ALGORITHM or "crit" in header:
                raise Unauthenticated(_INVALID)
            return jwt.decode(
                token,
                key.public,
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                options={
                    "require": _CLAIMS,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "strict_aud": True,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthenticated(_INVALID) from None

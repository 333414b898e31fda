"""Refresh tokens: each is good once, and using one twice ends its whole family."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.identity.revocations import Revocations
from shared.platform.clock import Clock
from shared.platform.errors import Unauthenticated
from shared.platform.logs import get_log
from shared.platform.state_tables import REFRESH_FAMILIES
from shared.platform.tables import Row, RowChanged, RowGone, Tables, Value

# A family ends this long after its login, however often it was refreshed.
FAMILY_LIFE = timedelta(days=30)
_FORM = re.compile(r"flor_(?P<family>[0-9a-f]{32})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_KEY = "family"
_INVALID = "The refresh token is not valid"
_log = get_log("identity")


@dataclass(frozen=True, slots=True)
class Rotated:
    """The next token of a family, and whose it is."""

    token: str
    family: str
    user: str


class RefreshTokens:
    """The families of refresh tokens; storage has the SHA-256 of each one's newest. Every method blocks."""

    def __init__(self, tables: Tables, revocations: Revocations, clock: Clock) -> None:
        self._tables = tables
        self._revocations = revocations
        self._clock = clock

    def begin(self, user: str) -> Rotated:
        """The first token of a new family."""
        family = secrets.token_hex(16)
        token, sha256 = _token(family)
        values: dict[str, Value] = {"user": user, "sha256": sha256, "expires_at": self._clock() + FAMILY_LIFE}
        self._tables.insert(REFRESH_FAMILIES, Row(family, _KEY, values))
        return Rotated(token, family, user)

    def rotate(self, token: str) -> Rotated:
        """The token that takes the place of `token`.

        Raises Unauthenticated. A token that was the newest before, or two uses of one at the same time, end
        the family, access tokens included: one of the two users is not whom it was given to.
        """
        form = _FORM.fullmatch(token)
        if form is None:
            raise Unauthenticated(_INVALID)
        family = form["family"]
        try:
            row = self._tables.get(REFRESH_FAMILIES, family, _KEY)
        except RowGone:
            raise Unauthenticated(_INVALID) from None
        if (row.time("expires_at") or self._clock()) <= self._clock():
            raise Unauthenticated("The refresh token has expired")
        if not hmac.compare_digest(row.text("sha256"), _sha256(token)):
            raise self._reused(family)
        following, sha256 = _token(family)
        try:
            self._tables.replace(REFRESH_FAMILIES, replace(row, values={**row.values, "sha256": sha256}))
        except (RowChanged, RowGone):
            raise self._reused(family) from None
        return Rotated(following, family, row.text("user"))

    def end(self, family: str) -> None:
        """No token of the family is good any more, access tokens included."""
        self._revocations.add(f"family-{family}")
        self._tables.delete(REFRESH_FAMILIES, family, _KEY)

    def _reused(self, family: str) -> Unauthenticated:
        self.end(family)
        _log.warning("refresh token used twice", family=family)
        return Unauthenticated("The refresh token was used before: log in again")


def _token(family: str) -> tuple[str, str]:
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    token = f"flor_{family}_{secret}"
    return token, _sha256(token)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The tables of mutable state. A new table is a new line here; the local stack makes what is missing."""

from __future__ import annotations

USERS = "users"
USER_CLAIMS = "userclaims"
API_KEYS = "apikeys"
SIGNING_KEYS = "signingkeys"
REFRESH_FAMILIES = "refreshfamilies"
REVOCATIONS = "revocations"
LOGIN_ATTEMPTS = "loginattempts"

STATE_TABLES: tuple[str, ...] = (
    USERS,
    USER_CLAIMS,
    API_KEYS,
    SIGNING_KEYS,
    REFRESH_FAMILIES,
    REVOCATIONS,
    LOGIN_ATTEMPTS,
)

# Tables whose rows carry `expires_at` and are of no use after it.
EXPIRING_TABLES: tuple[str, ...] = (SIGNING_KEYS, REFRESH_FAMILIES, REVOCATIONS, LOGIN_ATTEMPTS)

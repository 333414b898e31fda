"""Who is asking: the one place that turns credentials into a principal."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from functions._http.declaration import Access
from functions._http.messages import ANONYMOUS, Principal
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.settings import Settings

ADMINISTRATOR = Principal("administrator", frozenset({"*"}))


def authenticate(
    headers: Mapping[str, str], access: Access, scope: str | None, settings: Settings
) -> Principal:
    """The principal behind `headers` (names in lower case).

    Raises Unauthenticated where the operation is not open and the credentials are missing or wrong, Forbidden
    where they do not carry `scope`.
    """
    if access is Access.OPEN or (access is Access.OPEN_LOCALLY and settings.auth == "local"):
        return ANONYMOUS
    principal = principal_of(credential(headers), settings)
    if not principal.may(scope):
        raise Forbidden(f"These credentials do not carry the scope {scope}")
    return principal


def credential(headers: Mapping[str, str]) -> str:
    """The key in `X-API-Key`, else in `Authorization: Bearer`."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    raise Unauthenticated("Send an API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`")


def principal_of(key: str, settings: Settings) -> Principal:
    """Whose key this is; compared by SHA-256 in constant time."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    if settings.admin_key_sha256 and hmac.compare_digest(digest, settings.admin_key_sha256):
        return ADMINISTRATOR
    raise Unauthenticated("The API key is not valid")

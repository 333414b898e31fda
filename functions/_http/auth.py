"""Who is asking: the one place that turns credentials into a principal."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from functions._http import limits
from functions._http.declaration import Access
from functions._http.messages import ADMINISTRATOR, ANONYMOUS, LOCAL, Principal
from shared import runtime
from shared.platform.errors import Forbidden, Unauthenticated
from shared.platform.settings import Settings

# RFC 6750. Two headers of one name arrive as one, joined by a comma, which is no part of a token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


async def authenticate(
    headers: Mapping[str, str], access: Access, scope: str | None, settings: Settings
) -> Principal:
    """The principal behind `headers` (names in lower case).

    Raises Unauthenticated where the operation is not open and the credentials are missing or wrong, Forbidden
    where they do not carry `scope`, RateLimited after too many wrong ones.
    """
    principal = await identify(headers, access, settings, {})
    permit(principal, scope)
    return principal


async def identify(
    headers: Mapping[str, str], access: Access, settings: Settings, told: dict[str, str]
) -> Principal:
    """As `authenticate`, whatever the scope; `told` gets the limit on wrong credentials where it matters."""
    if access is Access.OPEN:
        return ANONYMOUS
    if access is Access.OPEN_LOCALLY and settings.auth == "local":
        return LOCAL
    return await principal_of(credential(headers), headers, settings, told)


def permit(principal: Principal, scope: str | None) -> None:
    """Raises Forbidden where the principal does not carry `scope`; what is open locally is for everyone."""
    if principal is not LOCAL and not principal.may(scope):
        raise Forbidden(f"These credentials do not carry the scope {scope}", details={"scope": scope})


def credential(headers: Mapping[str, str]) -> str:
    """The key or token in `X-API-Key` or `Authorization: Bearer`; raises Unauthenticated if they differ."""
    key = headers.get("x-api-key")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    if key and token and key != token:
        raise Unauthenticated("Send one credential: `X-API-Key` and `Authorization` differ")
    if key:
        return key
    if token and _TOKEN.fullmatch(token):
        return token
    raise Unauthenticated(
        "Send an API key or an access token as `Authorization: Bearer <it>`, or a key as `X-API-Key: <it>`"
    )


async def principal_of(
    given: str, headers: Mapping[str, str], settings: Settings, told: dict[str, str]
) -> Principal:
    """Whose key or token this is; the administrator's key of the settings needs no storage.

    Unknown ones count against the address until they are found good, so that guessing is bounded.
    """
    digest = hashlib.sha256(given.encode("utf-8", "surrogatepass"))
    if settings.admin_key_sha256 and hmac.compare_digest(digest.hexdigest(), settings.admin_key_sha256):
        return ADMINISTRATOR
    authenticator = runtime.authenticator()
    if authenticator.remembers(digest.digest()):
        return await authenticator.principal(given, digest.digest())
    async with limits.attempt(headers, told):
        return await authenticator.principal(given, digest.digest())

"""CORS: which web pages may call, by the setting FLOE_CORS_ORIGINS; by default none."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache

from shared import runtime

ANY = "*"
# How long a browser may remember the answer to a preflight, in seconds; none remembers it for longer.
MAX_AGE = 7200
ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "If-None-Match",
    "Traceparent",
    "X-API-Key",
    "X-Request-Id",
)
# What a page's script may read beside the few headers that browsers always show.
EXPOSED_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Pagination-Limit",
    "X-Pagination-Page",
    "X-Pagination-Pages",
    "X-Pagination-Total",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
)
_EXPOSED = ", ".join(EXPOSED_HEADERS)
_ALLOWED = ", ".join(ALLOWED_HEADERS)


def is_preflight(headers: Mapping[str, str]) -> bool:
    """Whether an OPTIONS request is a browser's question, for a page that may call, about another request."""
    return "access-control-request-method" in headers and _allowed(headers.get("origin")) is not None


def preflight(methods: Sequence[str]) -> dict[str, str]:
    """The headers of the answer to a preflight, beside those that `mark` adds."""
    return {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": _ALLOWED,
        "Access-Control-Max-Age": str(MAX_AGE),
    }


def mark(response: MutableMapping[str, str], headers: Mapping[str, str]) -> None:
    """Adds to a response's headers what lets the page that asked read it; errors too are for it to read."""
    settings = runtime.settings()
    if settings.cors_origins is None:
        return
    if settings.cors_origins != ANY:
        # Also without an origin: a cache must not give this answer to a page.
        response["Vary"] = f"{response['Vary']}, Origin" if response.get("Vary") else "Origin"
    allowed = _allowed(headers.get("origin"))
    if allowed is None:
        return
    response["Access-Control-Allow-Origin"] = allowed
    response["Access-Control-Expose-Headers"] = _EXPOSED
    if settings.cors_credentials:
        response["Access-Control-Allow-Credentials"] = "true"


def _allowed(origin: str | None) -> str | None:
    """What stands in `Access-Control-Allow-Origin` for `origin`; None where it may not call."""
    origins = runtime.settings().cors_origins
    if origin is None or origins is None:
        return None
    if origins == ANY:
        return ANY
    return origin if origin.lower() in _listed(origins) else None


@cache
def _listed(origins: str) -> frozenset[str]:
    return frozenset(one.lower().rstrip("/") for one in origins.split(","))

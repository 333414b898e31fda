"""The one table from Floe's exceptions to HTTP, and the response that an exception becomes."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from functions._http.families import Failure, Family
from shared.platform import errors
from shared.platform.clock import to_rfc3339, utc_now


class Kind(NamedTuple):
    """How one exception shows: status, code (001, 003, 004) and short text (002)."""

    status: int
    code: str
    text: str


INTERNAL = Kind(500, "INTERNAL_ERROR", "Internal server error")
TABLE: dict[type[Exception], Kind] = {
    errors.BadRequest: Kind(400, "VALIDATION_ERROR", "Invalid request"),
    errors.PayloadTooLarge: Kind(413, "PAYLOAD_TOO_LARGE", "Payload too large"),
    errors.Unauthenticated: Kind(401, "UNAUTHORIZED", "Unauthorized"),
    errors.Forbidden: Kind(403, "FORBIDDEN", "Forbidden"),
    errors.NotFound: Kind(404, "NOT_FOUND", "Not found"),
    errors.MethodNotAllowed: Kind(405, "METHOD_NOT_ALLOWED", "Method not allowed"),
    errors.Conflict: Kind(409, "CONFLICT", "Conflict"),
    errors.UnsupportedMediaType: Kind(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
    errors.RateLimited: Kind(429, "RATE_LIMITED", "Too many requests"),
    errors.Unavailable: Kind(503, "SERVICE_UNAVAILABLE", "Service unavailable"),
    Exception: INTERNAL,
}


def kind_of(error: Exception) -> Kind:
    """The row of the table for `error`, by its nearest base class."""
    return next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)


def failure_of(error: Exception, request_id: str) -> Failure:
    """What the caller may know of `error`: everything that was raised on purpose, nothing of the rest."""
    kind = kind_of(error)
    if kind is INTERNAL or not isinstance(error, errors.FloeError):
        message, details = f"The request failed inside; its id in the log is {request_id}", {}
    else:
        message, details = error.message, error.details
    return Failure(*kind, message, details, request_id, to_rfc3339(utc_now()))


def headers_of(error: Exception) -> dict[str, str]:
    """The headers that an error's status asks for."""
    match error:
        case errors.Unavailable() | errors.RateLimited():
            return {"Retry-After": str(error.retry_after)}
        case errors.Unauthenticated():
            return {"WWW-Authenticate": 'Bearer realm="floe"'}
        case errors.MethodNotAllowed():
            return {"Allow": ", ".join(error.allowed)}
    return {}


def render(failure: Failure, family: Family) -> bytes:
    """The body of `failure` in the form of `family`."""
    return msgspec.json.encode(family.render(failure), enc_hook=str)

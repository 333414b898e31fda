"""Floe's exceptions.

    FloeError
    ├── SettingsError            a setting is missing or wrong; the app does not start
    ├── BadRequest               the caller's input is wrong                            400
    │   └── PayloadTooLarge      a body, an event or a batch crosses its limit           413
    ├── Unauthenticated          no credentials, or wrong ones                           401
    ├── Forbidden                good credentials without the scope                      403
    ├── NotFound                 nothing stands at that path or id                       404
    ├── MethodNotAllowed         something stands there, for other methods               405
    ├── Conflict                 the thing exists, or changed in between                 409
    ├── UnsupportedMediaType     a content type or encoding that is not taken            415
    ├── RateLimited              the caller's budget is spent for now                    429
    └── Unavailable              a dependency does not answer; worth a retry             503
        ├── BrokerUnavailable    the broker did not acknowledge in time
        └── StorageUnavailable   storage did not answer, or refused
            └── LeaseHeld        another writer holds the table

SDK errors are translated into these at the adapters and nowhere else. `retryable` says whether the same call
may succeed later.
"""

from __future__ import annotations

from typing import Any


class FloeError(Exception):
    """Base of all errors that Floe raises on purpose; `details` is safe to show to the caller."""

    retryable = False

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}


class SettingsError(FloeError):
    """A setting is missing or wrong."""


class BadRequest(FloeError):
    """The caller's input is wrong; `details` names the parameter."""


class PayloadTooLarge(BadRequest):
    """A body, an event or a batch crosses its limit."""


class Unauthenticated(FloeError):
    """No credentials, or wrong ones."""


class Forbidden(FloeError):
    """Good credentials that do not carry the scope."""


class NotFound(FloeError):
    """Nothing stands at that path or id."""


class MethodNotAllowed(FloeError):
    """The path exists for other methods, which `allowed` lists."""

    def __init__(self, message: str, *, allowed: list[str]) -> None:
        super().__init__(message)
        self.allowed = allowed


class Conflict(FloeError):
    """The thing exists already, or changed in between."""


class UnsupportedMediaType(FloeError):
    """A content type or content encoding that is not taken."""


class RateLimited(FloeError):
    """The caller's budget is spent for now; `retry_after` is in seconds."""

    retryable = True

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(FloeError):
    """A dependency does not answer; `retry_after` is in seconds."""

    retryable = True

    def __init__(self, message: str, *, details: dict[str, Any] | None = None, retry_after: int = 5) -> None:
        super().__init__(message, details=details)
        self.retry_after = retry_after


class BrokerUnavailable(Unavailable):
    """The broker did not acknowledge in time."""


class StorageUnavailable(Unavailable):
    """Storage did not answer, or refused."""


class LeaseHeld(StorageUnavailable):
    """Another writer holds the table's lease."""

"""What a handler gets and what it may give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.identity.models import ADMINISTRATOR, ANONYMOUS, LOCAL, Principal

__all__ = ["ADMINISTRATOR", "ANONYMOUS", "LOCAL", "Principal", "Reply", "Request"]


@dataclass(slots=True)
class Request[Q = None, B = None, P = None]:
    """One validated request: `query`, `body` and `path` as the operation declares them.

    `body` is bytes, unpacked and within its limit, where the operation declares a RawBody. `headers` have
    lower-case names.
    """

    query: Q
    body: B
    path: P
    request_id: str
    principal: Principal
    headers: Mapping[str, str]
    method: str
    url: str


@dataclass(slots=True)
class Reply[T = Any]:
    """An answer with a status or headers of its own.

    `body` is a model, anything msgspec encodes, or bytes that are encoded already; None sends no body.
    `message` is the envelope's, in the family that has one.
    """

    status: int
    body: T
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    message: str | None = None

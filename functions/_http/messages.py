"""What a handler gets and what it may give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from functions._http.etags import etag_of, names
from shared.identity.models import ADMINISTRATOR, ANONYMOUS, LOCAL, Principal

__all__ = ["ADMINISTRATOR", "ANONYMOUS", "LOCAL", "Principal", "Reply", "Request"]


class Unchanged(Exception):
    """The client has the answer already; `headers` are the answer's own, which 304 repeats."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__("unchanged")
        self.headers = headers


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
    etag: str | None = None

    def version(
        self, *parts: object, strong: bool = False, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Tell what the answer depends on, before the work is done; ends it where the client has that answer.

        `parts` must differ whenever the answer does, so what is relative to now must be among them. URL,
        account and `Accept` are taken into account anyway. `strong`: the same parts always give the same
        bytes. `headers` are those that 304 carries, of the answer's own. Raises Unchanged, which handlers let
        pass. Only for operations that declare `etag=True`.
        """
        asked = (self.url, self.principal.account, self.headers.get("accept"))
        self.etag = etag_of((*asked, *parts), strong=strong)
        if self.method in ("GET", "HEAD") and names(self.headers.get("if-none-match"), self.etag):
            raise Unchanged(headers)


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

"""From what a handler returned, or raised, to the response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import azure.functions as func
import msgspec
from pydantic import BaseModel

from functions._http.failures import INTERNAL, failure_of, headers_of, render
from functions._http.families import Family, envelope
from functions._http.messages import Reply
from shared.platform.clock import to_rfc3339, utc_now
from shared.platform.errors import Unavailable
from shared.platform.logs import get_log

JSON = "application/json"
DONE = "Operation completed successfully"
_log = get_log("http")


class Response(func.HttpResponse):
    """A response whose headers are a plain dict with lower-case `content-type`: a third of the SDK's cost."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        self._body, self._status, self._headers = body, status, headers

    @property
    def status_code(self) -> int:
        """The status."""
        return self._status

    @property
    def headers(self) -> Any:
        """All headers, content type included."""
        return self._headers

    @property
    def mimetype(self) -> str:
        """The content type."""
        return self._headers["content-type"]

    @property
    def charset(self) -> str:
        """Always UTF-8."""
        return "utf-8"

    def get_body(self) -> bytes:
        """The body's bytes."""
        return self._body


def encode(body: Any) -> bytes:
    """JSON of a model or of anything that msgspec knows; bytes are taken as encoded; None is empty."""
    if isinstance(body, BaseModel):
        return body.__pydantic_serializer__.to_json(body, by_alias=True)
    if isinstance(body, bytes):
        return body
    return b"" if body is None else msgspec.json.encode(body, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def success(
    answer: Any, status: int, family: Family, request_id: str, headers: dict[str, str]
) -> func.HttpResponse:
    """The response for what a handler returned; `headers` becomes the response's."""
    reply = answer if isinstance(answer, Reply) else Reply(status, answer)
    body = encode(reply.body)
    if family.enveloped and reply.content_type == JSON and reply.status not in (204, 304):
        body = envelope(body, reply.message or DONE, to_rfc3339(utc_now()), request_id)
    headers["content-type"] = reply.content_type
    headers.update(reply.headers)
    return Response(body, reply.status, headers)


def failure(
    error: Exception, family: Family, request_id: str, headers: Mapping[str, str]
) -> func.HttpResponse:
    """The response for `error`, which is logged where it was not foreseen or a dependency is at fault."""
    known = failure_of(error, request_id)
    if known.status == INTERNAL.status:
        _log.exception("request failed", error)
    elif isinstance(error, Unavailable):
        _log.warning("dependency unavailable", reason=error.message)
    return Response(
        render(known, family), known.status, {**headers, **headers_of(error), "content-type": JSON}
    )

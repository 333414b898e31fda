"""What a trigger reads off a request: headers, request id, body."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import azure.functions as func
from pydantic import BaseModel

from functions._http.bodies import decode_model, read_bytes
from functions._http.declaration import Operation, RawBody
from functions._http.messages import Principal, Request
from functions._http.parameters import refuse_repeated, single_valued, validated
from shared import runtime
from shared.platform.errors import BadRequest

type RequestReader = Callable[
    [func.HttpRequest, Mapping[str, str], str, Principal], Awaitable[Request[Any, Any, Any]]
]
type BodyReader = Callable[[bytes, Mapping[str, str]], Awaitable[Any]]

# The Functions host hands on no body that came in chunks without its length.
NO_LENGTH = "The request has no body that the host could hand on: send it with Content-Length, not in chunks"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def plain_headers(req: func.HttpRequest) -> Mapping[str, str]:
    """The request's headers by lower-case name, as a dict: its own, which is private, or else a copy."""
    inner = getattr(req.headers, "__http_headers__", None)
    return inner if isinstance(inner, dict) else {name.lower(): value for name, value in req.headers.items()}


def request_id_of(headers: Mapping[str, str]) -> str:
    """The client's own id where it is a valid one, else a new one."""
    given = headers.get("x-request-id")
    return given if given and _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def request_reader(declared: Operation) -> RequestReader:
    """What makes the validated request that a handler gets, of what came, its headers, id and principal."""
    path, query = declared.path, declared.query
    single = single_valued(query) if query else frozenset()
    read_body = body_reader(declared.body, declared.body_required)

    async def read(
        req: func.HttpRequest, headers: Mapping[str, str], request_id: str, principal: Principal
    ) -> Request[Any, Any, Any]:
        if single:
            refuse_repeated(req.url, single)
        return Request(
            query and validated(query, req.params),
            read_body and await read_body(req.get_body(), headers),
            path and validated(path, req.route_params),
            request_id,
            principal,
            headers,
            req.method,
            req.url,
        )

    return read


def body_reader(body: type[BaseModel] | RawBody | None, required: bool) -> BodyReader | None:
    """What reads a body as declared, into a model or bytes; None where the operation takes none."""
    if body is None:
        return None
    raw = body if isinstance(body, RawBody) else RawBody()
    model = None if isinstance(body, RawBody) else body

    async def read(data: bytes, headers: Mapping[str, str]) -> Any:
        limit = raw.max_bytes or runtime.settings().max_body_bytes
        data = await read_bytes(data, headers, raw.content_types, limit)
        if not data and required:
            raise BadRequest(NO_LENGTH if "transfer-encoding" in headers else "The request has no body")
        if model is None:
            return data
        return decode_model(model, data) if data else None

    return read

"""The responses of the OpenAPI document, errors in the form of each family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from functions._http.declaration import Access, Described, Operation
from functions._http.failures import TABLE, Kind
from functions._http.families import Failure, Family
from functions._http.limits import LIMIT, REMAINING, RESET
from functions._http.openapi_schemas import REF, Json, Schemas, schema_of
from functions._http.responses import DONE

_KINDS = {kind.status: kind for kind in TABLE.values()}
# What every response carries, by the name it has among the document's components.
_HEADERS: Json = {
    "RequestId": {
        "description": "The request's id.",
        "schema": {"type": "string"},
        "example": "req_5f2b8c1d9e0a4b7c6d3e2f10",
    },
    "RateLimitLimit": {
        "description": "How many requests may pass in a window.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1000,
    },
    "RateLimitRemaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 999,
    },
    "RateLimitReset": {
        "description": "When the window ends and the next one begins, in seconds since 1970.",
        "schema": {"type": "integer"},
        "example": 1640995200,
    },
}
_EVERYWHERE: Json = {
    header: {"$ref": f"#/components/headers/{name}"}
    for header, name in zip(("X-Request-Id", LIMIT, REMAINING, RESET), _HEADERS, strict=True)
}
_ETAG = {"ETag": "Stays the same as long as the answer does."}
_EXAMPLE_ID, _EXAMPLE_TIME = "req_5f2b8c1d9e0a4b7c6d3e2f10", "2026-01-01T00:00:00Z"
_ENVELOPE_EXAMPLE = {"message": DONE, "timestamp": _EXAMPLE_TIME, "request_id": _EXAMPLE_ID}


def responses_of(one: Operation, schemas: Schemas) -> Json:
    """All responses of one operation: those it declares, and the errors that the platform may answer."""
    answers = {one.status: one.success, **one.responses}
    if one.etag:
        answers[one.status] = replace(one.success, headers={**one.success.headers, **_ETAG})
        answers[304] = Described("The answer is the one that `If-None-Match` names", headers=_ETAG)
    found = {str(status): _response(described, one.family, schemas) for status, described in answers.items()}
    for kind in _errors_of(one):
        status = str(kind.status)
        if status in found:
            _allow_error(found[status], one)
        else:
            found[status] = {"$ref": f"#/components/responses/{_error_name(one, kind)}"}
    return dict(sorted(found.items()))


def _allow_error(response: Json, one: Operation) -> None:
    """A declared response may share its status with an error of the platform: then either may come."""
    content = response.get("content", {}).get("application/json")
    if content and one.family:
        error = {"$ref": REF.format(model=f"{one.family.name}Error")}
        content["schema"] = {"anyOf": [content["schema"], error]}


def _response(described: Described, family: Family | None, schemas: Schemas) -> Json:
    headers = _EVERYWHERE | {
        name: {"description": text, "schema": {"type": "string"}} for name, text in described.headers.items()
    }
    response: Json = {"description": described.description, "headers": headers}
    if described.model or described.schema:
        schema = schema_of(described.model or described.schema, schemas, "serialization")
        example = described.example
        if family and family.enveloped and described.content_type == "application/json":
            schema = _enveloped(schema)
            example = example and {"success": True, "data": example, **_ENVELOPE_EXAMPLE}
        content = {"schema": schema} | ({"example": example} if example else {})
        response["content"] = {described.content_type: content} | {kind: {} for kind in described.other_types}
    return response


def _enveloped(schema: Mapping[str, Any]) -> Json:
    text = {"type": "string"}
    properties = {
        "success": {"const": True},
        "data": schema,
        "message": text,
        "timestamp": text | {"format": "date-time"},
        "request_id": text,
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _errors_of(one: Operation) -> list[Kind]:
    statuses = [429, 500, 503, *one.errors]
    if one.path or one.query or one.body is not None:
        statuses.append(400)
    if one.body is not None:
        statuses += [413, 415]
    if one.access is not Access.OPEN:
        statuses += [401, 403]
    if one.path:
        statuses.append(404)
    return [_KINDS[status] for status in sorted(set(statuses))]


def _error_name(one: Operation, kind: Kind) -> str:
    assert one.family is not None
    return f"{one.family.name}{kind.status}"


def common_headers() -> Json:
    """The headers that every response carries, as components of the document."""
    return _HEADERS


def error_responses(operations: list[Operation]) -> Json:
    """The error responses that `operations` refer to, by name."""
    wanted = {(_error_name(one, kind), one.family, kind) for one in operations for kind in _errors_of(one)}
    return {
        name: _error_response(family, kind)
        for name, family, kind in sorted(wanted, key=lambda item: item[0])
        if family
    }


def _example(family: Family, kind: Kind) -> Json:
    message = "What went wrong"
    return family.render(Failure(*kind, message, {}, _EXAMPLE_ID, _EXAMPLE_TIME))


def _error_response(family: Family, kind: Kind) -> Json:
    headers: Json = dict(_EVERYWHERE)
    if kind.status in (429, 503):
        seconds = {"type": "integer", "minimum": 1}
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": seconds, "example": 17}
    if kind.status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    schema = {"$ref": REF.format(model=f"{family.name}Error")}
    content = {"application/json": {"schema": schema, "example": _example(family, kind)}}
    return {"description": kind.text, "headers": headers, "content": content}


def error_schema(family: Family) -> Json:
    """The shape of a family's errors, read off an example of one."""
    return _shape(_example(family, _KINDS[400]))


def _shape(value: Any) -> Json:
    if isinstance(value, bool):
        return {"const": value}
    if isinstance(value, str):
        return {"type": "string"}
    properties = {name: _shape(inner) for name, inner in value.items()}
    return {"type": "object", "properties": properties} | (
        {"required": list(properties)} if properties else {}
    )

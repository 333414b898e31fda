"""The OpenAPI 3.1 document, made from the operations' own declarations."""

from __future__ import annotations

from collections.abc import Iterable

from functions._http.declaration import Access, Operation, RawBody
from functions._http.families import FAMILIES
from functions._http.limits import rule_of
from functions._http.openapi_responses import (
    common_headers,
    error_responses,
    error_schema,
    responses_of,
)
from functions._http.openapi_schemas import Json, Schemas, schema_of
from shared.limits.rules import MINUTE
from shared.platform.version import VERSION

_IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "An `ETag` of an earlier answer: 304 where there is nothing newer.",
    "schema": {"type": "string"},
}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]


def document(operations: Iterable[Operation]) -> Json:
    """The whole document; the same operations, in whatever order, always give the same one."""
    documented = sorted((one for one in operations if one.documented), key=_place)
    schemas = Schemas(documented)
    paths: Json = {}
    for one in documented:
        paths.setdefault(one.route.documented_path, {})[one.methods[0].lower()] = _entry(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Floe",
            "version": VERSION,
            "summary": "Serverless telemetry: events in, open Delta tables out.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": _tag_entries(documented),
        "paths": paths,
        "components": {
            "schemas": schemas.shared()
            | {f"{family.name}Error": error_schema(family) for family in FAMILIES},
            "responses": error_responses(documented),
            "headers": common_headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "API key or access token."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _place(one: Operation) -> tuple[str, tuple[str, ...]]:
    return one.route.documented_path, one.methods


def _tag_entries(documented: Iterable[Operation]) -> list[Json]:
    """Every tag, with the references that its operations come from."""
    titles: dict[str, set[str]] = {}
    for one in documented:
        for tag in _tags(one):
            titles.setdefault(tag, set()).update({one.family.title} if one.family else ())
    return [{"name": tag, "description": f"{'; '.join(sorted(titles[tag]))}."} for tag in sorted(titles)]


def _tags(one: Operation) -> tuple[str, ...]:
    return one.tags or ((one.family.title,) if one.family else ())


def _entry(one: Operation, schemas: Schemas) -> Json:
    entry: Json = {"operationId": one.name, "summary": one.summary, "tags": list(_tags(one))}
    entry["description"] = "\n\n".join(filter(None, (one.description, _access_text(one), _limit_text(one))))
    if parameters := _parameters(one, schemas):
        entry["parameters"] = parameters
    if one.body is not None:
        entry["requestBody"] = _request_body(one, schemas)
    entry["responses"] = responses_of(one, schemas)
    entry["security"] = [] if one.access is Access.OPEN else _SECURITY
    return entry


def _access_text(one: Operation) -> str:
    if one.access is Access.OPEN:
        return "Open to everyone."
    scope = f"Needs the scope `{one.scope}`." if one.scope else ""
    local = "Open where `FLOE_AUTH=local`." if one.access is Access.OPEN_LOCALLY else ""
    return " ".join(filter(None, (scope, local)))


def _limit_text(one: Operation) -> str:
    assert one.family is not None
    rule = rule_of(one.rate, one.family)
    window = "a minute" if rule.seconds == MINUTE else "an hour, by plan"
    return f"Counts against the rate limit `{rule.name}`, {window}."


def _parameters(one: Operation, schemas: Schemas) -> list[Json]:
    declared = [
        parameter
        for place, model in (("path", one.path), ("query", one.query))
        if model
        for parameter in _parameters_of(place, schemas.definition(model))
    ]
    return [*declared, *([_IF_NONE_MATCH] if one.etag else ())]


def _parameters_of(place: str, definition: Json) -> Iterable[Json]:
    required = definition.get("required", ())
    for name, schema in definition.get("properties", {}).items():
        schema = {key: value for key, value in schema.items() if key != "title"}
        parameter: Json = {"name": name, "in": place, "required": name in required}
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        if "array" in str(schema.get("type", schema.get("anyOf"))):
            parameter |= {"style": "form", "explode": False}
        yield parameter | {"schema": _without_null(schema)}


def _without_null(schema: Json) -> Json:
    """A parameter is there or not, never null: `anyOf` of a type and null is that type."""
    types = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(types) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return {**rest, **types[0]}


def _request_body(one: Operation, schemas: Schemas) -> Json:
    raw = one.body if isinstance(one.body, RawBody) else RawBody(schema=one.body, examples=one.body_examples)
    content: Json = {"schema": schema_of(raw.schema, schemas, "validation")}
    if raw.examples:
        content["examples"] = {name: {"value": value} for name, value in raw.examples.items()}
    body: Json = {"required": one.body_required, "content": {raw.content_types[0]: content}}
    return body | ({"description": raw.description} if raw.description else {})

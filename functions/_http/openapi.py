"""The OpenAPI 3.1 document, made from the operations' own declarations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions._http.declaration import Access, Described, Operation, RawBody
from functions._http.failures import TABLE, Kind
from functions._http.families import FAMILIES, Failure, Family
from shared.platform.version import VERSION

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REF = "#/components/schemas/{model}"
_KINDS = {kind.status: kind for kind in TABLE.values()}
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
_REQUEST_ID_HEADER = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_EXAMPLE_ID, _EXAMPLE_TIME = "req_5f2b8c1d9e0a4b7c6d3e2f10", "2026-01-01T00:00:00Z"


def document(operations: Iterable[Operation]) -> Json:
    """The whole document; the same operations always give the same one."""
    documented = [one for one in operations if one.documented]
    schemas = _Schemas(documented)
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
        "tags": [{"name": name} for name in dict.fromkeys(tag for one in documented for tag in _tags(one))],
        "paths": paths,
        "components": {
            "schemas": schemas.shared()
            | {f"{family.name}Error": _error_schema(family) for family in FAMILIES},
            "responses": _error_responses(documented),
            "headers": {"RequestId": {"description": "The request's id.", "schema": {"type": "string"}}},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


class _Schemas:
    """The JSON schemas of all models, by class and by whether they are read or written."""

    def __init__(self, operations: list[Operation]) -> None:
        self._parameters = [model for one in operations for model in (one.path, one.query) if model]
        read = self._parameters + [model for one in operations for model in _read_models(one)]
        written = [model for one in operations for model in _written_models(one)]
        wanted: list[tuple[type[BaseModel], Mode]] = [(model, "validation") for model in read]
        wanted += [(model, "serialization") for model in written]
        self._refs, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REF)
        self._definitions: Json = definitions.get("$defs", {})

    def ref(self, model: type[BaseModel], mode: Mode) -> Json:
        """A reference to the schema of `model`."""
        reference: Json = self._refs[model, mode]
        return reference

    def definition(self, model: type[BaseModel]) -> Json:
        """The schema of a model of parameters itself."""
        definition: Json = self._definitions[self.ref(model, "validation")["$ref"].rpartition("/")[2]]
        return definition

    def shared(self) -> Json:
        """What belongs under `components/schemas`: all but the models of parameters."""
        inlined = {self.ref(model, "validation")["$ref"].rpartition("/")[2] for model in self._parameters}
        return {name: schema for name, schema in sorted(self._definitions.items()) if name not in inlined}


def _read_models(one: Operation) -> list[type[BaseModel]]:
    body = one.body.schema if isinstance(one.body, RawBody) else one.body
    return [body] if isinstance(body, type) else []


def _written_models(one: Operation) -> list[type[BaseModel]]:
    return [described.model for described in (one.success, *one.responses.values()) if described.model]


def _tags(one: Operation) -> tuple[str, ...]:
    return one.tags or ((one.family.title,) if one.family else ())


def _entry(one: Operation, schemas: _Schemas) -> Json:
    entry: Json = {"operationId": one.name, "summary": one.summary, "tags": list(_tags(one))}
    entry["description"] = "\n\n".join(filter(None, (one.description, _access_text(one))))
    if parameters := _parameters(one, schemas):
        entry["parameters"] = parameters
    if one.body is not None:
        entry["requestBody"] = _request_body(one, schemas)
    entry["responses"] = _responses(one, schemas)
    entry["security"] = [] if one.access is Access.OPEN else _SECURITY
    return entry


def _access_text(one: Operation) -> str:
    if one.access is Access.OPEN:
        return "Open to everyone."
    scope = f"Needs the scope `{one.scope}`." if one.scope else ""
    local = "Open where `FLOE_AUTH=local`." if one.access is Access.OPEN_LOCALLY else ""
    return " ".join(filter(None, (scope, local)))


def _parameters(one: Operation, schemas: _Schemas) -> list[Json]:
    return [
        parameter
        for place, model in (("path", one.path), ("query", one.query))
        if model
        for parameter in _parameters_of(place, schemas.definition(model))
    ]


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


def _request_body(one: Operation, schemas: _Schemas) -> Json:
    raw = one.body if isinstance(one.body, RawBody) else RawBody(schema=one.body, examples=one.body_examples)
    content: Json = {"schema": _schema(raw.schema, schemas, "validation")}
    if raw.examples:
        content["examples"] = {name: {"value": value} for name, value in raw.examples.items()}
    body: Json = {"required": one.body_required, "content": {raw.content_types[0]: content}}
    return body | ({"description": raw.description} if raw.description else {})


def _schema(
    described: type[BaseModel] | Mapping[str, Any] | None, schemas: _Schemas, mode: Mode
) -> Mapping[str, Any]:
    if isinstance(described, type):
        return schemas.ref(described, mode)
    return described or {}


def _responses(one: Operation, schemas: _Schemas) -> Json:
    answers = {one.status: one.success, **one.responses}
    found = {str(status): _response(described, one.family, schemas) for status, described in answers.items()}
    for kind in _errors_of(one):
        found.setdefault(str(kind.status), {"$ref": f"#/components/responses/{_error_name(one, kind)}"})
    return dict(sorted(found.items()))


def _response(described: Described, family: Family | None, schemas: _Schemas) -> Json:
    headers = _REQUEST_ID_HEADER | {
        name: {"description": text, "schema": {"type": "string"}} for name, text in described.headers.items()
    }
    response: Json = {"description": described.description, "headers": headers}
    if described.model or described.schema:
        schema = _schema(described.model or described.schema, schemas, "serialization")
        if family and family.enveloped and described.content_type == "application/json":
            schema = _enveloped(schema)
        content = {"schema": schema} | ({"example": described.example} if described.example else {})
        response["content"] = {described.content_type: content}
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
    statuses = [500, 503]
    if one.path or one.query or one.body is not None:
        statuses.append(400)
    if one.body is not None:
        statuses += [413, 415]
    if one.access is not Access.OPEN:
        statuses += [401, 403]
    if one.path:
        statuses.append(404)
    return [_KINDS[status] for status in sorted(statuses)]


def _error_name(one: Operation, kind: Kind) -> str:
    assert one.family is not None
    return f"{one.family.name}{kind.status}"


def _error_responses(operations: list[Operation]) -> Json:
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
    headers: Json = dict(_REQUEST_ID_HEADER)
    if kind.status in (429, 503):
        headers["Retry-After"] = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    if kind.status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    schema = {"$ref": _REF.format(model=f"{family.name}Error")}
    content = {"application/json": {"schema": schema, "example": _example(family, kind)}}
    return {"description": kind.text, "headers": headers, "content": content}


def _error_schema(family: Family) -> Json:
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

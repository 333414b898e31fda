"""The JSON schemas of the models that operations declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions._http.declaration import Operation, RawBody

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

REF = "#/components/schemas/{model}"


class Schemas:
    """The JSON schemas of all models, by class and by whether they are read or written."""

    def __init__(self, operations: list[Operation]) -> None:
        self._parameters = [model for one in operations for model in (one.path, one.query) if model]
        read = self._parameters + [model for one in operations for model in _read_models(one)]
        written = [model for one in operations for model in _written_models(one)]
        wanted: list[tuple[type[BaseModel], Mode]] = [(model, "validation") for model in read]
        wanted += [(model, "serialization") for model in written]
        self._refs, definitions = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REF)
        self._definitions: Json = _with_bounds(definitions.get("$defs", {}))

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


# A bound behind a validator of one's own, as in `Annotated[WholeNumber, Field(ge=1)]`, comes out of pydantic
# under its Python name, which JSON schema does not know.
_BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def _with_bounds(schema: Any) -> Any:
    """`schema` with all bounds under JSON schema's names."""
    if isinstance(schema, list):
        return [_with_bounds(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        (name if isinstance(value, dict) else _BOUNDS.get(name, name)): _with_bounds(value)
        for name, value in schema.items()
    }


def _read_models(one: Operation) -> list[type[BaseModel]]:
    body = one.body.schema if isinstance(one.body, RawBody) else one.body
    return [body] if isinstance(body, type) else []


def _written_models(one: Operation) -> list[type[BaseModel]]:
    return [described.model for described in (one.success, *one.responses.values()) if described.model]


def schema_of(
    described: type[BaseModel] | Mapping[str, Any] | None, schemas: Schemas, mode: Mode
) -> Mapping[str, Any]:
    """The schema that a declaration gives, or that of the model that it names."""
    if isinstance(described, type):
        return schemas.ref(described, mode)
    return described or {}

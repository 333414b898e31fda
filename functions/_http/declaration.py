"""What an operation declares: the one source of its checks and of its entry in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from functions._http.families import Family
from functions._http.routes import Route

JSON_TYPES = ("application/json", "text/json", "application/*+json")


class Access(Enum):
    """Who may call without credentials."""

    OPEN = "everyone, in every mode"
    OPEN_LOCALLY = "everyone where FLOE_AUTH=local"
    CLOSED = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBody:
    """A body that the handler decodes itself: only its size, content type and encoding are checked.

    `schema` (a JSON schema or the model that describes it) and `examples` are for the OpenAPI document alone.
    `max_bytes` replaces `Settings.max_body_bytes`; an empty body is refused unless `required` is false.
    """

    schema: type[BaseModel] | Mapping[str, Any] | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    content_types: tuple[str, ...] = JSON_TYPES
    max_bytes: int | None = None
    required: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """One documented response: a model or a schema, or neither where it has no body.

    `other_types`: further content types that it may come in, by the request's `Accept`.
    """

    description: str
    model: type[BaseModel] | None = None
    schema: Mapping[str, Any] | None = None
    content_type: str = "application/json"
    example: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    other_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API; `family` None means that of the path asked for, `methods` () means all."""

    name: str
    methods: tuple[str, ...]
    route: Route
    family: Family | None
    access: Access
    scope: str | None
    rate: str
    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | RawBody | None
    body_examples: Mapping[str, Any]
    body_required: bool
    success: Described
    status: int
    responses: Mapping[int, Described]
    errors: tuple[int, ...]
    summary: str
    description: str
    tags: tuple[str, ...]
    etag: bool
    documented: bool

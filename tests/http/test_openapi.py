"""What a declaration becomes in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

import azure.functions as func
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field

from functions._http import ApiModel, CommaList, Described, RawBody, Request, WholeNumber, operation
from functions._http.catalogue import Catalogue
from functions._http.openapi import document


class ItemPath(ApiModel):
    item: str = Field(description="Which one.")


class ItemsQuery(ApiModel):
    kind: Literal["a", "b"] | None = Field(None, description="Only these.")
    limit: WholeNumber = Field(50, ge=1, le=100)
    wanted: str
    names: CommaList = Field(default_factory=list)


class Inner(BaseModel):
    deep: int


class Item(BaseModel):
    inner: Inner
    note: str = "none"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    bp, catalogue = func.Blueprint(), Catalogue()

    @operation(
        bp,
        "GET",
        "api/items/{item:alpha}",
        summary="One item",
        tags=["Items"],
        path=ItemPath,
        query=ItemsQuery,
        response=Described("The item", Item, example={"inner": {"deep": 1}, "note": "x"}),
        responses={
            404: Described("No such item, as text", content_type="text/plain", schema={"type": "string"})
        },
        scope="items:read",
        open_locally=True,
        catalogue=catalogue,
    )
    async def get_item(request: Request) -> None:
        """More words."""

    @operation(
        bp,
        "POST",
        "api/v1/items",
        summary="Make one",
        body=RawBody(schema=Item, examples={"small": {"inner": {"deep": 1}}}),
        response=Item,
        status=202,
        responses={400: Described("None was taken", Inner)},
        catalogue=catalogue,
    )
    async def make_item(request: Request) -> None: ...

    @operation(bp, "*", "{*path}", summary="Rest", documented=False, catalogue=catalogue)
    async def rest(request: Request) -> None: ...

    found = document(catalogue)
    OpenAPIV31SpecValidator(found).validate()
    return found


def test_parameters(written: dict[str, Any]) -> None:
    found = {one["name"]: one for one in written["paths"]["/api/items/{item}"]["get"]["parameters"]}
    assert found["item"] == {
        "name": "item",
        "in": "path",
        "required": True,
        "description": "Which one.",
        "schema": {"type": "string"},
    }
    assert found["kind"]["schema"] == {"enum": ["a", "b"], "type": "string"}
    assert found["limit"]["schema"] == {"default": 50, "maximum": 100, "minimum": 1, "type": "integer"}
    assert found["wanted"]["required"] is True
    assert found["names"]["explode"] is False


def test_texts_and_security(written: dict[str, Any]) -> None:
    entry = written["paths"]["/api/items/{item}"]["get"]
    assert entry["tags"] == ["Items"]
    assert entry["description"].split("\n\n") == [
        "More words.",
        "Needs the scope `items:read`. Open where `FLOE_AUTH=local`.",
        "Counts against the rate limit `events`, a minute.",
    ]
    assert entry["security"] == [{"bearer": []}, {"apiKey": []}]


def test_responses(written: dict[str, Any]) -> None:
    found = written["paths"]["/api/items/{item}"]["get"]["responses"]
    assert found["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Item"}
    assert found["400"] == {"$ref": "#/components/responses/Analytics400"}
    assert "text/plain" in found["404"]["content"]
    assert set(found) == {"200", "400", "401", "403", "404", "429", "500", "503"}


def test_error_examples_have_their_familys_form(written: dict[str, Any]) -> None:
    found = written["components"]["responses"]
    example = found["Analytics400"]["content"]["application/json"]["example"]
    assert example == {"error": "Invalid request", "details": "What went wrong"}
    assert found["Ingestion401"]["content"]["application/json"]["example"]["success"] is False
    assert "Retry-After" in found["Analytics503"]["headers"]
    assert {"Retry-After", "X-RateLimit-Limit"} <= set(found["Ingestion429"]["headers"])
    assert found["Ingestion429"]["content"]["application/json"]["example"]["error"]["code"] == (
        "RATE_LIMIT_EXCEEDED"
    )


def test_bodies_and_the_envelope(written: dict[str, Any]) -> None:
    entry = written["paths"]["/api/v1/items"]["post"]
    content = entry["requestBody"]["content"]["application/json"]
    assert content["examples"] == {"small": {"value": {"inner": {"deep": 1}}}}
    schema = entry["responses"]["202"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"success", "data", "message", "timestamp", "request_id"}
    assert entry["tags"] == ["Ingestion"]


def test_a_declared_response_shares_its_status_with_the_platforms_error(written: dict[str, Any]) -> None:
    found = written["paths"]["/api/v1/items"]["post"]["responses"]["400"]["content"]["application/json"]
    assert found["schema"]["anyOf"][1] == {"$ref": "#/components/schemas/IngestionError"}


def test_only_what_is_documented_stands_there(written: dict[str, Any]) -> None:
    assert set(written["paths"]) == {"/api/items/{item}", "/api/v1/items"}
    assert "ItemsQuery" not in written["components"]["schemas"]
    assert "Inner" in written["components"]["schemas"]

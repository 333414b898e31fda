"""The app's document: what it shows is true to what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from functions._http.families import FAMILIES
from tests.architecture.imports import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text())
# Keywords of JSON schema and OpenAPI that the document uses; another is a slip of a generator.
KEYWORDS = {
    *("$ref", "type", "title", "description", "default", "enum", "const", "examples", "format", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems"),
    *("maxItems", "uniqueItems", "prefixItems", "items", "properties", "required", "additionalProperties"),
    *(
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "propertyNames",
        "writeOnly",
        "readOnly",
        "discriminator",
        "contentEncoding",
    ),
    *("minProperties", "maxProperties", "contentMediaType"),
}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for entries in DOCUMENT["paths"].values():
        for entry in entries.values():
            yield entry["operationId"], entry


def contents() -> Iterator[Any]:
    """Every body that is described, with its examples."""
    for name, entry in operations():
        bodies = {"request": entry.get("requestBody", {}), **entry["responses"]}
        for place, described in bodies.items():
            for content in described.get("content", {}).values():
                yield pytest.param(content, id=f"{name}-{place}")
    for name, described in DOCUMENT["components"]["responses"].items():
        for content in described["content"].values():
            yield pytest.param(content, id=name)


@pytest.mark.parametrize("content", list(contents()))
def test_examples_are_what_the_schema_says(content: dict[str, Any]) -> None:
    schema = {**content.get("schema", {}), "components": DOCUMENT["components"]}
    examples = [content["example"]] if "example" in content else []
    examples += [one["value"] for one in content.get("examples", {}).values()]
    for example in examples:
        OAS31Validator(schema).validate(example)


@pytest.mark.parametrize(
    ("name", "entry"), list(operations()), ids=lambda one: one if type(one) is str else ""
)
def test_every_operation_shows_how_it_is_used(name: str, entry: dict[str, Any]) -> None:
    for content in entry.get("requestBody", {}).get("content", {}).values():
        assert content.get("examples"), f"{name}: add body_examples"
    assert entry["description"]
    assert entry["security"] in ([], [{"bearer": []}, {"apiKey": []}])
    errors = {status for status in entry["responses"] if status >= "400"}
    assert {"429", "500", "503"} <= errors
    assert ({"401", "403"} <= errors) or entry["security"] == []


def test_tags_tell_the_references_that_they_come_from() -> None:
    titles = {family.title for family in FAMILIES}
    used = {tag for _, entry in operations() for tag in entry["tags"]}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    for tag in DOCUMENT["tags"]:
        assert set(tag["description"].rstrip(".").split("; ")) <= titles


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema below `node`, which is one."""
    if not isinstance(node, dict):
        return
    yield node
    for name in ("items", "additionalProperties", "not", "propertyNames"):
        yield from schemas(node.get(name))
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for one in node.get(name, ()):
            yield from schemas(one)
    for one in node.get("properties", {}).values():
        yield from schemas(one)


def test_schemas_use_keywords_that_readers_know() -> None:
    roots = list(DOCUMENT["components"]["schemas"].values())
    roots += [one["schema"] for _, entry in operations() for one in entry.get("parameters", ())]
    unknown = {name for root in roots for schema in schemas(root) for name in schema} - KEYWORDS
    assert unknown == set()

"""Bodies of resources against Azure's schemas: names, types, values, bounds, what is required."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from scripts.check_infra.deployment import Deployed
from scripts.check_infra.findings import Finding
from scripts.check_infra.schemas import ObjectType, PropertyType, Schemas

_KINDS: dict[str, type | tuple[type, ...]] = {"string": str, "int": int, "bool": bool, "object": dict}
# What Bicep itself understands in a body.
_LANGUAGE = ("scope", "parent", "dependsOn")


def check(resource: Deployed, schemas: Schemas) -> Iterator[Finding]:
    """What is wrong with the body of a resource of a known type."""
    given = {name: value for name, value in resource.body.items() if name not in _LANGUAGE}
    for where, what in _object(given, schemas.body(resource.type), schemas, ""):
        yield Finding(resource.where, f"{where.removeprefix('.')}: {what}")


def _object(given: dict[str, Any], kind: ObjectType, schemas: Schemas, at: str) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        known = kind.properties.get(name)
        if known is not None:
            yield from _property(value, known, schemas, f"{at}.{name}")
        elif kind.more is not None:
            yield from _value(value, kind.more, schemas, f"{at}.{name}")
        else:
            like = get_close_matches(name, kind.properties, 1)
            yield f"{at}.{name}", "there is no such property" + (f"; is it {like[0]}?" if like else "")
    for name, known in kind.properties.items():
        if known.required and given.get(name) is None:
            yield f"{at}.{name}", "is required"


def _property(value: Any, known: PropertyType, schemas: Schemas, at: str) -> Iterator[tuple[str, str]]:
    if known.read_only:
        yield at, "is read only"
        return
    yield from _value(value, known.type, schemas, at)
    size = len(value) if isinstance(value, str | list) else value
    if isinstance(size, int) and not isinstance(size, bool):
        least = known.bounds.get("minLength", known.bounds.get("minValue", size))
        most = known.bounds.get("maxLength", known.bounds.get("maxValue", size))
        if not least <= size <= most:
            yield at, f"{value!r} is not within {least} and {most}"


def _value(value: Any, kind: str, schemas: Schemas, at: str) -> Iterator[tuple[str, str]]:
    if value is None or kind == "any":
        return
    if kind.endswith("[]"):
        if not isinstance(value, list):
            yield at, f"{value!r} is no array"
            return
        for i, item in enumerate(value):
            yield from _value(item, kind.removesuffix("[]").strip("()"), schemas, f"{at}[{i}]")
        return
    known = schemas.object(kind)
    if known is not None:
        if isinstance(value, dict):
            yield from _object(value, known, schemas, at)
        else:
            yield at, f"{value!r} is no object"
    elif kind in _KINDS:
        wanted = _KINDS[kind]
        if not isinstance(value, wanted) or (kind == "int" and isinstance(value, bool)):
            yield at, f"{value!r} is no {kind}"
    elif str(value) not in (allowed := [one.strip() for one in kind.split("|")]):
        yield at, f"{value!r} is none of {', '.join(one for one in allowed if one != 'string')}"

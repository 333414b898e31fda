"""Azure's schemas of the resources in use, read from `schemas.json` and `schemas_by_hand.json`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from scripts.check_infra.extract_schemas import BY_HAND, KEPT

_BOUND = re.compile(r"(\w+): (-?\d+)")


@dataclass(frozen=True, slots=True)
class PropertyType:
    """A property: its type's text, whether it must be there, whether it may be written, and its bounds."""

    type: str
    required: bool
    read_only: bool
    bounds: dict[str, int]


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object's properties, and the type of those that it does not name (None: there are none)."""

    properties: dict[str, PropertyType]
    more: str | None


class Schemas:
    """Resource types to what their bodies may hold."""

    def __init__(self, *described: dict[str, Any]) -> None:
        self._resources = {name: one for kept in described for name, one in kept["resources"].items()}
        self._types = {name: _object(one) for kept in described for name, one in kept["types"].items()}

    def version(self, resource: str) -> str | None:
        """The API version that is known of a resource type; None: the type is not known."""
        known = self._resources.get(resource)
        return None if known is None else str(known["version"])

    def body(self, resource: str) -> ObjectType:
        """The body of a known resource type."""
        return self._types[self._resources[resource]["body"]]

    def object(self, name: str) -> ObjectType | None:
        """The object type `name`; None: it is another type."""
        return self._types.get(name)


def _object(described: dict[str, Any]) -> ObjectType:
    properties = {}
    for name, (kind, *rest) in described["properties"].items():
        flags, bounds = [*rest, "", ""][:2]
        found = {key: int(value) for key, value in _BOUND.findall(bounds)}
        properties[name] = PropertyType(kind, "Required" in flags, "ReadOnly" in flags, found)
    return ObjectType(properties, described.get("more"))


@cache
def schemas() -> Schemas:
    """Those of the two files."""
    return Schemas(json.loads(KEPT.read_text()), json.loads(BY_HAND.read_text()))

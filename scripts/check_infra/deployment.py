"""What evaluating gives: the resources that would be deployed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource: its type and version, its full id, the id that it extends (roles do), its body.

    `where` is the file and the symbol that it came from.
    """

    where: str
    type: str
    version: str
    name: str
    id: str
    extends: str | None
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """Its `properties`, empty where there are none."""
        return self.body.get("properties") or {}


@dataclass(slots=True)
class Deployment:
    """All resources of one evaluation, the outputs of the main file, and the parameters it was made with."""

    resources: list[Deployed] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> Iterator[Deployed]:
        """The resources of a type."""
        return (resource for resource in self.resources if resource.type == kind)

    def one(self, kind: str) -> Deployed:
        """The only resource of a type; raises ValueError where there is another number of them."""
        (found,) = self.of(kind)
        return found

    def below(self, kind: str, parent: Deployed) -> Iterator[Deployed]:
        """The resources of a type inside `parent`."""
        return (resource for resource in self.of(kind) if resource.id.startswith(f"{parent.id}/"))

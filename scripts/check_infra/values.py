"""Bicep's expressions, evaluated in one file."""

from __future__ import annotations

import json
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.check_infra.findings import BicepError
from scripts.check_infra.functions import FUNCTIONS, SUBSCRIPTION
from scripts.check_infra.program import Program
from scripts.check_infra.promises import Promised
from scripts.check_infra.runtime_values import Late, is_late, lifted, settled
from scripts.check_infra.syntax import (
    Array,
    Binary,
    Call,
    Expression,
    File,
    For,
    Index,
    Lambda,
    Literal,
    Member,
    Name,
    Object,
    Ternary,
    Text,
    Unary,
)

_COMPARE: dict[str, Any] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a symbol stands for; `skipped`: its condition was false."""

    type: str
    name: str
    id: str
    body: dict[str, Any]
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """A module that a symbol stands for."""

    outputs: dict[str, Any]
    skipped: bool = False


Variables = Mapping[str, Any]


@dataclass(slots=True)
class Values(ABC):
    """Evaluates the expressions of `file`; `environment` is there for parameter files alone."""

    program: Program
    file: File
    environment: Mapping[str, str] | None = field(default=None, kw_only=True)

    @abstractmethod
    def symbol(self, name: str) -> Any:
        """What a declared name stands for."""

    def value(self, node: Expression, local: Variables) -> Any:
        """The value of an expression; `local` are the variables of loops and lambdas around it."""
        match node:
            case Literal(value=value):
                return value
            case Text(parts=parts):
                known = [part if isinstance(part, str) else self.value(part, local) for part in parts]
                return known[0] if parts and isinstance(parts[0], str) and len(parts) == 1 else _joined(known)
            case Name(name=name):
                return local[name] if name in local else self.symbol(name)
            case Array(items=items):
                return [self.value(item, local) for item in items]
            case Object(properties=properties):
                return {
                    settled(self.value(one.key, local)): self.value(one.value, local) for one in properties
                }
            case Ternary(condition=condition, then=then, otherwise=otherwise):
                return self._chosen(condition, then, otherwise, local)
            case Unary(operator="assert", value=inner):
                return self.value(inner, local)
            case Unary(operator=operator, value=inner):
                return lifted(lambda one: not one if operator == "!" else -one, self.value(inner, local))
            case Binary():
                return self._binary(node, local)
            case For(variables=variables, over=over, body=body):
                found = self.early(over, local, "what a loop runs over")
                loops = [dict(zip(variables, (one, i), strict=False)) for i, one in enumerate(found)]
                return [self.value(body, {**local, **loop}) for loop in loops]
            case Lambda(variables=variables, body=body):
                return lambda *given: self.value(body, {**local, **dict(zip(variables, given, strict=False))})
            case Member() | Index():
                return self._part(node, local)
            case Call():
                return self._call(node, local)
        raise BicepError(self.file.at(node), "this cannot be evaluated")

    def _chosen(
        self, condition: Expression, then: Expression, otherwise: Expression, local: Variables
    ) -> Any:
        decided = self.value(condition, local)
        value = self.value(then if settled(decided) else otherwise, local)
        return Late(value) if isinstance(decided, Late) and not isinstance(value, Late) else value

    def _binary(self, node: Binary, local: Variables) -> Any:
        left = self.value(node.left, local)
        match node.operator:
            case "&&" if not settled(left):
                return left
            case "||" if settled(left):
                return left
            case "??" if settled(left) is not None:
                return left
            case "&&" | "||" | "??":
                return self.value(node.right, local)
        try:
            return lifted(_COMPARE[node.operator], left, self.value(node.right, local))
        except (KeyError, TypeError) as error:
            raise BicepError(self.file.at(node), f"{node.operator} does not go with these: {error}") from None

    def _part(self, node: Member | Index, local: Variables) -> Any:
        of = self.value(node.of, local)
        key = node.name if isinstance(node, Member) else self.value(node.index, local)
        if isinstance(of, Made):
            return self._of_resource(of, key, node)
        if isinstance(of, Ran):
            if of.skipped:
                raise BicepError(self.file.at(node), "this module is not deployed")
            return (
                {name: Late(settled(value)) for name, value in of.outputs.items()}
                if key == "outputs"
                else None
            )
        try:
            return lifted(lambda whole, part: whole[part], of, key)
        except (KeyError, IndexError, TypeError):
            if isinstance(node, Member) and node.safe:
                return None
            raise BicepError(self.file.at(node), f"there is no {settled(key)} in it") from None

    def _of_resource(self, made: Made, key: str, node: Member | Index) -> Any:
        if key in ("id", "name", "type"):
            return {"id": made.id, "name": made.name, "type": made.type}[key]
        if made.skipped:
            raise BicepError(self.file.at(node), "this resource is not deployed")
        if key == "properties":
            return Promised(made.type, made.name, self.program.schemas, self.file.at(node))
        return made.body[key] if key in made.body else Late(f"«{made.name}.{key}»")

    def _call(self, node: Call, local: Variables) -> Any:
        arguments = [self.value(argument, local) for argument in node.arguments]
        match node.function:
            case "loadJsonContent":
                path = posixpath.join(posixpath.dirname(self.file.path), arguments[0])
                return json.loads(self.program.text(posixpath.normpath(path)))
            case "resourceGroup" if arguments:
                return {"id": f"{SUBSCRIPTION}/resourceGroups/{arguments[0]}"}
            case "readEnvironmentVariable" if self.environment is not None:
                name, *default = arguments
                if name in self.environment or default:
                    return self.environment.get(name, *default)
                raise BicepError(self.file.at(node), f"the variable {name} is not set")
        try:
            return lifted(FUNCTIONS[node.function], *arguments)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise BicepError(self.file.at(node), f"{node.function}: {error}") from None

    def early(self, expression: Expression, local: Variables, what: str) -> Any:
        value = self.value(expression, local)
        if is_late(value):
            raise BicepError(self.file.at(expression), f"{what} must be known before the deployment runs")
        return value


def _joined(parts: list[Any]) -> Any:
    return lifted(lambda *known: "".join(_text(one) for one in known), *parts)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""A main file and its parameters, evaluated to the resources that would be deployed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.check_infra.deployment import Deployed, Deployment
from scripts.check_infra.findings import BicepError
from scripts.check_infra.functions import SUBSCRIPTION
from scripts.check_infra.program import Program
from scripts.check_infra.runtime_values import settled
from scripts.check_infra.syntax import (
    Expression,
    For,
    If,
    Module,
    Object,
    Output,
    Parameter,
    Resource,
    TypeOf,
    Variable,
)
from scripts.check_infra.values import Made, Ran, Values, Variables

_PYTHON_TYPES = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}
_EXTENSIONS = ("Microsoft.Authorization/roleAssignments", "Microsoft.Insights/diagnosticSettings")


def evaluate(
    program: Program, parameter_file: str, environment: Mapping[str, str], changes: Mapping[str, Any]
) -> Deployment:
    """What `parameter_file` deploys where its environment variables are these; `changes` go over its values.

    Raises BicepError for what cannot be evaluated.
    """
    given = program.file(parameter_file)
    reader = _Evaluation(program, given, {}, SUBSCRIPTION, Deployment(), environment=environment)
    values = {name: reader.value(one.default, {}) for name, one in given.parameters.items() if one.default}
    values |= changes
    main = program.file(posixpath.join(posixpath.dirname(parameter_file), given.using or ""))
    deployment = Deployment()
    run = _Evaluation(program, main, values, SUBSCRIPTION, deployment)
    deployment.outputs = {name: settled(value) for name, value in run.run().items()}
    deployment.parameters = {name: run.symbol(name) for name in main.parameters}
    return deployment


@dataclass(slots=True)
class _Evaluation(Values):
    """One file with its parameters, at the id of the scope that it is deployed to."""

    given: dict[str, Any]
    scope: str
    deployment: Deployment
    _known: dict[str, Any] = field(default_factory=dict)
    _at_work: list[str] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Evaluates every statement; the outputs."""
        for unknown in self.given.keys() - self.file.parameters.keys():
            raise BicepError(self.file.path, f"there is no parameter {unknown}")
        for declaration in self.file.declarations():
            if not isinstance(declaration, Output):
                self.symbol(declaration.name)
        return {name: self.value(output.value, {}) for name, output in self.file.outputs.items()}

    def symbol(self, name: str) -> Any:
        """What a declared name stands for."""
        if name in self._known:
            return self._known[name]
        if name in self._at_work:
            raise BicepError(self.file.path, f"{' needs '.join([*self._at_work, name])}: a circle")
        self._at_work.append(name)
        self._known[name] = value = self._declared(name)
        self._at_work.remove(name)
        return value

    def _declared(self, name: str) -> Any:
        match self.program.declaration(self.file, name):
            case Parameter() as parameter:
                return self._parameter(parameter)
            case Variable(value=value):
                return self.value(value, {})
            case Resource() as resource:
                return self._each(resource.body, {}, resource)
            case Module() as module:
                return self._each(module.body, {}, module)
        raise BicepError(self.file.path, f"nothing is called {name}")

    def _parameter(self, parameter: Parameter) -> Any:
        if parameter.name in self.given:
            value = self.given[parameter.name]
        elif parameter.default is not None:
            value = self.value(parameter.default, {})
        else:
            raise BicepError(self.file.path, f"the parameter {parameter.name} is not given")
        self._check(parameter, value)
        return value

    def _check(self, parameter: Parameter, value: Any) -> None:
        kind = parameter.type
        if kind is None:
            return
        items = value if kind.item and isinstance(value, list) else []
        right = _is(value, kind.name) and all(_is(item, kind.item or "") for item in items)
        if not right:
            raise BicepError(self.file.path, f"{parameter.name}: {value!r} is no {_described(kind)}")
        limits = {name: self.value(args[0], {}) for name, args in parameter.decorators.items() if args}
        size = len(value) if isinstance(value, str | list) else value
        wrong = "allowed" in limits and value not in limits["allowed"]
        wrong |= any(name in limits and size < limits[name] for name in ("minLength", "minValue"))
        wrong |= any(name in limits and size > limits[name] for name in ("maxLength", "maxValue"))
        if wrong:
            raise BicepError(self.file.path, f"{parameter.name}: {value!r} is not allowed")

    # Resources and modules

    def _each(self, body: Expression, local: Variables, what: Resource | Module, index: str = "") -> Any:
        match body:
            case For(variables=variables, over=over, body=inner):
                made = []
                for i, one in enumerate(self.early(over, local, "what a loop runs over")):
                    loop = {**local, **dict(zip(variables, (one, i), strict=False))}
                    made.append(self._each(inner, loop, what, f"[{i}]"))
                return made
            case If(condition=condition, body=inner):
                if not self.early(condition, local, "a condition"):
                    return self._skipped(inner, local, what)
                return self._each(inner, local, what, index)
            case Object() if isinstance(what, Resource):
                return self._resource(what, body, local, index)
            case Object() if isinstance(what, Module):
                return self._module(what, body, local)
        raise BicepError(self.file.at(body), f"the body of {what.name} is no object")

    def _skipped(self, body: Expression, local: Variables, what: Resource | Module) -> Made | Ran:
        if isinstance(what, Module):
            return Ran({}, skipped=True)
        assert isinstance(body, Object)
        name, identifier, _ = self._identity(what, body, local, skipped=True)
        return Made(what.type, name, identifier, {}, skipped=True)

    def _resource(self, resource: Resource, body: Object, local: Variables, index: str) -> Made:
        name, identifier, extends = self._identity(resource, body, local)
        language = ("parent", "scope", "dependsOn")
        kept = Object(body.line, tuple(one for one in body.properties if one.key.parts[0] not in language))
        values = self.value(kept, local)
        if not resource.existing:
            where = f"{self.file.path}: {resource.name}{index}"
            found = Deployed(
                where, resource.type, resource.version, name, identifier, extends, settled(values)
            )
            self.deployment.resources.append(found)
        return Made(resource.type, name, identifier, values)

    def _identity(
        self, resource: Resource, body: Object, local: Variables, *, skipped: bool = False
    ) -> tuple[str, str, str | None]:
        """Name, full id, and the id of what it extends."""
        given = body.get("name")
        if given is None:
            raise BicepError(self.file.at(body), f"{resource.name} has no name")
        name = self.early(given, local, "a name")
        parent, scope = body.get("parent"), body.get("scope")
        if parent is not None:
            made = self._made(parent, local, skipped)
            if resource.type.rpartition("/")[0] != made.type:
                raise BicepError(self.file.at(parent), f"{resource.type} does not belong into {made.type}")
            return name, f"{made.id}/{resource.type.rpartition('/')[2]}/{name}", None
        if resource.type.count("/") > 1:
            raise BicepError(self.file.at(body), f"{resource.name} has no parent")
        if scope is not None:
            extended = self._made(scope, local, skipped)
            return name, f"{extended.id}/providers/{resource.type}/{name}", extended.id
        if resource.type == "Microsoft.Resources/resourceGroups":
            return name, f"{SUBSCRIPTION}/resourceGroups/{name}", None
        extends = self.scope if resource.type in _EXTENSIONS else None
        return name, f"{self.scope}/providers/{resource.type}/{name}", extends

    def _made(self, expression: Expression, local: Variables, skipped: bool) -> Made:
        value = self.value(expression, local)
        if not isinstance(value, Made):
            raise BicepError(self.file.at(expression), "a resource is needed")
        if value.skipped and not skipped:
            raise BicepError(self.file.at(expression), "this resource is not deployed")
        return value

    def _module(self, module: Module, body: Object, local: Variables) -> Ran:
        inner = self.program.module(self.file, module)
        name, scope = body.get("name"), body.get("scope")
        if name is not None:
            self.early(name, local, "a name")
        target = self.scope if scope is None else self.early(scope, local, "a scope")["id"]
        if inner.scope == "resourceGroup" and "/resourceGroups/" not in target:
            raise BicepError(self.file.at(module), f"{module.name} needs a resource group as its scope")
        given = body.get("params")
        values = {} if given is None else settled(self.value(given, local))
        try:
            outputs = _Evaluation(self.program, inner, values, target, self.deployment).run()
        except BicepError as error:
            where = f"{self.file.path}: {module.name} > {error.finding.where}"
            raise BicepError(where, error.finding.what) from None
        return Ran(outputs)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and not (kind == "int" and isinstance(value, bool))


def _described(kind: TypeOf) -> str:
    return f"{kind.item} array" if kind.item else kind.name

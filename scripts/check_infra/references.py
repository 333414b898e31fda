"""What reading alone finds in a file: dangling names, wrong inputs, what nobody uses or describes."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.check_infra.findings import BicepError, Finding
from scripts.check_infra.functions import FUNCTIONS, IN_PLACE
from scripts.check_infra.program import Program
from scripts.check_infra.syntax import (
    Call,
    Declaration,
    Expression,
    File,
    For,
    Lambda,
    Literal,
    Member,
    Module,
    Name,
    Object,
    Output,
    Parameter,
    Resource,
    Text,
    Unary,
    Variable,
    body_of,
    children,
)

_MODULE_PROPERTIES = {"name", "scope", "params", "dependsOn"}
_DECORATORS = {"description", "secure", "allowed", "minLength", "maxLength", "minValue", "maxValue"}


def check(program: Program, file: File) -> Iterator[Finding]:
    """What is wrong with one file."""
    if file.using is not None:
        yield from _parameter_file(program, file)
        return
    for declaration in file.declarations():
        unknown = declaration.decorators.keys() - _DECORATORS
        yield from _at(file, declaration, (f"there is no decorator {name}" for name in sorted(unknown)))
        yield from _at(file, declaration, _described(declaration))
        for expression in expressions(declaration):
            yield from _names(program, file, expression, frozenset())
    yield from _unused(file)
    for resource in file.resources.values():
        yield from _at(file, resource, _versioned(program, resource))
    for module in file.modules.values():
        yield from _at(file, module, _inputs(program, file, module))
    yield from _secrets(file)


def expressions(declaration: Declaration) -> Iterator[Expression]:
    """The expressions of one statement."""
    match declaration:
        case Parameter(default=default) if default is not None:
            yield default
        case Variable(value=value) | Output(value=value):
            yield value
        case Resource(body=body) | Module(body=body):
            yield body


def walk(node: Expression) -> Iterator[Expression]:
    """`node` and all that is inside it."""
    yield node
    for child in children(node):
        yield from walk(child)


def _at(file: File, declaration: Declaration, said: Iterator[str]) -> Iterator[Finding]:
    return (Finding(file.at(declaration), f"{declaration.name}: {what}") for what in said)


def _names(program: Program, file: File, node: Expression, local: frozenset[str]) -> Iterator[Finding]:
    match node:
        case Name(name=name) if name not in local and program.declaration(file, name) is None:
            yield Finding(file.at(node), f"nothing is called {name}")
        case Call(function=function) if function not in FUNCTIONS and function not in IN_PLACE:
            yield Finding(file.at(node), f"there is no function {function} that this check knows")
        case Member():
            yield from _output(program, file, node)
        case For(variables=variables, over=over, body=body):
            yield from _names(program, file, over, local)
            yield from _names(program, file, body, local | set(variables))
            return
        case Lambda(variables=variables, body=body):
            yield from _names(program, file, body, local | set(variables))
            return
    for child in children(node):
        yield from _names(program, file, child, local)


def _output(program: Program, file: File, node: Member) -> Iterator[Finding]:
    """`module.outputs.name`: whether the module has it."""
    if not isinstance(node.of, Member) or node.of.name != "outputs":
        return
    of = node.of.of
    while isinstance(of, Unary):
        of = of.value
    module = file.modules.get(of.name) if isinstance(of, Name) else None
    if module is not None and node.name not in program.module(file, module).outputs:
        yield Finding(file.at(node), f"{module.path} has no output {node.name}")


def _unused(file: File) -> Iterator[Finding]:
    used = {
        node.name
        for declaration in file.declarations()
        for expression in expressions(declaration)
        for node in walk(expression)
        if isinstance(node, Name)
    }
    existing = {name: one for name, one in file.resources.items() if one.existing}
    for kind in (file.parameters, file.variables, existing):
        for name, declaration in kind.items():
            if name not in used:
                yield Finding(file.at(declaration), f"{name} is not used")


def _described(declaration: Declaration) -> Iterator[str]:
    if not isinstance(declaration, Parameter | Output):
        return
    match declaration.decorators.get("description"):
        case (Text(parts=(str(text),)),) if text.strip():
            if isinstance(declaration, Parameter):
                word = "Required" if declaration.default is None else "Optional"
                if not text.startswith((f"{word}. ", "Conditional. ")):
                    yield f"its description does not begin with {word}."
        case _:
            yield "it is not described"


def _versioned(program: Program, resource: Resource) -> Iterator[str]:
    known = program.schemas.version(resource.type)
    if known is None:
        yield f"no schema is known of {resource.type}"
    elif known != resource.version:
        yield f"the schema that is known is of {known}, not of {resource.version}"


def _inputs(program: Program, file: File, module: Module) -> Iterator[str]:
    try:
        inner = program.module(file, module)
    except BicepError as error:
        yield str(error)
        return
    body = body_of(module.body)
    if body is None:
        yield "its body is no object"
        return
    for one in body.properties:
        if one.key.parts[0] not in _MODULE_PROPERTIES:
            yield f"a module has no property {one.key.parts[0]}"
    if body.get("name") is None:
        yield "it has no name, by which deployments are found again"
    params = body.get("params")
    given = {str(one.key.parts[0]) for one in params.properties} if isinstance(params, Object) else set()
    for name in sorted(given - inner.parameters.keys()):
        yield f"{module.path} takes no parameter {name}"
    for name, parameter in inner.parameters.items():
        if parameter.default is None and name not in given:
            yield f"{module.path} needs the parameter {name}"
    for declaration in program.module(file, module).parameters.values():
        if "secure" in declaration.decorators and isinstance(params, Object):
            yield from _passed_on(file, params.get(declaration.name))


def _passed_on(file: File, value: Expression | None) -> Iterator[str]:
    given = file.parameters.get(value.name) if isinstance(value, Name) else None
    if given is not None and "secure" not in given.decorators:
        yield f"{given.name} becomes a secure parameter and is none itself"


def _secrets(file: File) -> Iterator[Finding]:
    """Secure parameters have no default but the empty one, go into nothing open, and no output."""
    secure = {name for name, one in file.parameters.items() if "secure" in one.decorators}
    for name in secure:
        default = file.parameters[name].default
        if default is not None and not (isinstance(default, Text) and default.parts in ((), ("",))):
            yield Finding(file.at(file.parameters[name]), f"the secure parameter {name} has a default")
    for output in file.outputs.values():
        for node in walk(output.value):
            if isinstance(node, Name) and node.name in secure:
                yield Finding(file.at(output), f"the output {output.name} shows the secret {node.name}")
            if isinstance(node, Call) and node.function.startswith("list"):
                yield Finding(file.at(output), f"the output {output.name} shows a key")
    for module in file.modules.values():
        yield from _open_inputs(file, module, secure)


def _open_inputs(file: File, module: Module, secure: set[str]) -> Iterator[Finding]:
    body = body_of(module.body)
    params = body.get("params") if body else None
    for one in params.properties if isinstance(params, Object) else ():
        if isinstance(one.value, Name) and one.value.name in secure and one.key.parts != (one.value.name,):
            yield Finding(file.at(one), f"the secret {one.value.name} goes by another name here")


def _parameter_file(program: Program, file: File) -> Iterator[Finding]:
    main = program.file(file.using or "")
    for name, given in file.parameters.items():
        if name not in main.parameters:
            yield Finding(file.at(given), f"{main.path} takes no parameter {name}")
        elif "secure" in main.parameters[name].decorators and _is_written_out(given.default):
            yield Finding(file.at(given), f"the secret {name} is written out")
    for name, parameter in main.parameters.items():
        if parameter.default is None and name not in file.parameters:
            yield Finding(file.path, f"{main.path} needs the parameter {name}")


def _is_written_out(value: Expression | None) -> bool:
    return isinstance(value, Text | Literal) and not (isinstance(value, Text) and value.parts in ((), ("",)))


def depends_on(program: Program, file: File, what: Resource | Module) -> set[str]:
    """The resources and modules that `what` names, through variables too."""
    found: set[str] = set()
    waiting: list[Expression] = [what.body]
    seen: set[str] = set()
    while waiting:
        for node in walk(waiting.pop()):
            if not isinstance(node, Name) or node.name in seen:
                continue
            seen.add(node.name)
            declaration = program.declaration(file, node.name)
            if isinstance(declaration, Variable):
                waiting.append(declaration.value)
            elif isinstance(declaration, Resource | Module):
                found.add(node.name)
    return found


def composition(program: Program, file: File) -> Iterator[Finding]:
    """The main file only puts modules together, and each waits for the group that it goes into."""
    for resource in file.resources.values():
        yield Finding(file.at(resource), f"{resource.name}: resources belong into modules")
    needs = {name: depends_on(program, file, module) for name, module in file.modules.items()}
    groups = {name for name, module in file.modules.items() if "resource-group" in module.path}
    for name, module in file.modules.items():
        reached, waiting = set[str](), [name]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += needs.get(one, ())
        if not reached & groups:
            yield Finding(file.at(module), f"{name} does not wait for the resource group")
        if "function-app" in module.path:
            for late in sorted(_endpoints(file) - reached):
                yield Finding(file.at(module), f"{name} does not wait for {late}, by which it reaches things")


def _endpoints(file: File) -> set[str]:
    """The private endpoints of what an app needs from its first moment on."""
    found = {name for name, module in file.modules.items() if "private-endpoint" in module.path}
    return {name for name in found if "pubSub" not in name}

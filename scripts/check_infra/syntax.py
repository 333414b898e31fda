"""Bicep's tree. Every node has the line that it begins in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """Anything with a place in the text."""

    line: int


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string; its parts are texts and, where it interpolates, expressions."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, true, false or null."""

    value: int | bool | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A symbol."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`of.name`, or `of.?name`."""

    of: Expression
    name: str
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`of[index]`."""

    of: Expression
    index: Expression


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function's call."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!value` or `-value`; `value!`, which says that it is not null, has the operator `assert`."""

    operator: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two values and what is done with them."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Array(Node):
    """`[…]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Property(Node):
    """One line of an object."""

    key: Text
    value: Expression


@dataclass(frozen=True, slots=True)
class Object(Node):
    """`{…}`."""

    properties: tuple[Property, ...]

    def get(self, name: str) -> Expression | None:
        """The value of a property with a constant name."""
        return next((one.value for one in self.properties if one.key.parts == (name,)), None)


@dataclass(frozen=True, slots=True)
class For(Node):
    """`[for item in over: body]`, or with the index as a second variable."""

    variables: tuple[str, ...]
    over: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if (condition) body`, of a resource or module."""

    condition: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    """`(a, b) => body`."""

    variables: tuple[str, ...]
    body: Expression


Expression = (
    Text
    | Literal
    | Name
    | Member
    | Index
    | Call
    | Unary
    | Binary
    | Ternary
    | Array
    | Object
    | For
    | If
    | Lambda
)


@dataclass(frozen=True, slots=True)
class TypeOf(Node):
    """A declared type: string, int, bool, object or array, an array of one of them (`item`)."""

    name: str
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Declaration(Node):
    """A named statement with its decorators."""

    name: str
    decorators: dict[str, tuple[Expression, ...]] = field(kw_only=True, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter(Declaration):
    """`param name type = default`; in a parameter file `param name = default`, without a type."""

    type: TypeOf | None
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Variable(Declaration):
    """`var name = value`."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Resource(Declaration):
    """`resource name 'type@version' = body`."""

    type: str
    version: str
    existing: bool
    body: Expression


@dataclass(frozen=True, slots=True)
class Module(Declaration):
    """`module name 'path' = body`."""

    path: str
    body: Expression


@dataclass(frozen=True, slots=True)
class Output(Declaration):
    """`output name type = value`."""

    type: TypeOf
    value: Expression


@dataclass(slots=True)
class File:
    """One file's statements by name."""

    path: str
    scope: str = "resourceGroup"
    using: str | None = None
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)

    def at(self, node: Node) -> str:
        """Where `node` stands, for findings."""
        return f"{self.path}:{node.line}"

    def declarations(self) -> Iterator[Declaration]:
        """All statements."""
        for kind in (self.parameters, self.variables, self.resources, self.modules, self.outputs):
            yield from kind.values()


def children(node: Expression) -> Iterator[Expression]:
    """The expressions directly inside `node`."""
    match node:
        case Text(parts=parts):
            yield from (part for part in parts if not isinstance(part, str))
        case Member(of=of):
            yield of
        case Index(of=of, index=index):
            yield from (of, index)
        case Call(arguments=arguments):
            yield from arguments
        case Unary(value=value):
            yield value
        case Binary(left=left, right=right):
            yield from (left, right)
        case Ternary(condition=condition, then=then, otherwise=otherwise):
            yield from (condition, then, otherwise)
        case Array(items=items):
            yield from items
        case Object(properties=properties):
            for one in properties:
                yield from (one.key, one.value)
        case For(over=over, body=body):
            yield from (over, body)
        case If(condition=condition, body=body):
            yield from (condition, body)
        case Lambda(body=body):
            yield body


def body_of(expression: Expression) -> Object | None:
    """The object of a resource's or module's body, inside its loop and condition."""
    while isinstance(expression, For | If):
        expression = expression.body
    return expression if isinstance(expression, Object) else None

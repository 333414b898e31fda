"""HTTP routes with the real host's templates and precedence."""

import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property

from devstack.host.errors import IndexingError

type Check = Callable[[str], bool]

_PARAMETER = re.compile(r"\{([^{}]+|(?:[^{}]|\{\{|\}\})+)\}")
_ARGUMENTS = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template: text, a parameter, or text around parameters."""

    text: str
    pattern: re.Pattern[str] | None
    checks: tuple[tuple[str, Check], ...] = ()
    optional: bool = False
    catch_all: bool = False
    default: str | None = None
    name: str = ""

    @property
    def is_text(self) -> bool:
        """Whether it holds no parameter."""
        return self.pattern is None

    @property
    def rank(self) -> tuple[int, int]:
        """Lower is tried first: text, parameter with constraints (more first), parameter, catch-all."""
        kind = 0 if self.pattern is None else 1 if self.checks else 2
        return kind + (2 if self.catch_all else 0), -len(self.checks)

    def match(self, value: str) -> dict[str, str] | None:
        """The parameters when the segment takes `value`."""
        if self.pattern is None:
            return {} if value.lower() == self.text else None
        found = self.pattern.fullmatch(value)
        if found is None:
            return None
        values = found.groupdict()
        return values if all(check(values[name]) for name, check in self.checks) else None


_PAST_THE_END = (9, 0)


@dataclass(frozen=True)
class Route[Target]:
    """A template that leads to a target; no methods means all of them."""

    template: str
    methods: frozenset[str]
    target: Target

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The parsed template; raises IndexingError."""
        parts = [part for part in _split(self.template.strip("/")) if part]
        segments = tuple(_parse_segment(part, self.template) for part in parts)
        if any(segment.catch_all for segment in segments[:-1]):
            raise IndexingError(f"route {self.template!r}: a catch-all must come last")
        return segments

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Routes are tried in this order: specific before general, longer before shorter."""
        return (*(segment.rank for segment in self.segments), _PAST_THE_END)

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The route parameters when the route takes these path segments."""
        params: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.catch_all:
                return self._match_rest(segment, parts[index:], params)
            if index < len(parts):
                found = segment.match(parts[index])
                if found is None:
                    return None
                params |= found
            elif segment.default is not None:
                params[segment.name] = segment.default
            elif not segment.optional:
                return None
        return params if len(parts) <= len(self.segments) else None

    def _match_rest(
        self, segment: Segment, rest: Sequence[str], params: dict[str, str]
    ) -> dict[str, str] | None:
        value = "/".join(rest)
        if not value:
            return params | ({segment.name: segment.default} if segment.default is not None else {})
        found = segment.match(value)
        return None if found is None else params | found


class Router[Target]:
    """Finds the route for a path and a method."""

    def __init__(self, routes: Iterable[Route[Target]]) -> None:
        ordered = sorted(routes, key=lambda route: route.order)
        # Routes of text alone win over all others, so one look-up finds them.
        self._exact: dict[tuple[str, ...], list[Route[Target]]] = defaultdict(list)
        rest = []
        for route in ordered:
            if all(segment.is_text for segment in route.segments):
                self._exact[tuple(segment.text for segment in route.segments)].append(route)
            else:
                rest.append(route)
        self._open = [route for route in rest if not route.segments[0].is_text]
        starts = {route.segments[0].text for route in rest if route.segments[0].is_text}
        self._by_start = {
            start: [
                route for route in rest if not route.segments[0].is_text or route.segments[0].text == start
            ]
            for start in starts
        }

    def match(self, method: str, path: str) -> tuple[Target, dict[str, str]] | None:
        """The target and route parameters for a decoded path; None is 404, also for a method nobody takes."""
        parts = _path_segments(path)
        lowered = tuple(map(str.lower, parts))
        start = lowered[0] if lowered else ""
        for routes in (self._exact.get(lowered, ()), self._by_start.get(start, self._open)):
            for route in routes:
                if not route.methods or method in route.methods:
                    params = route.match(parts)
                    if params is not None:
                        return route.target, params
        return None


def _path_segments(path: str) -> list[str]:
    trimmed = path.removeprefix("/").removesuffix("/")
    return trimmed.split("/") if trimmed else []


def _split(template: str) -> list[str]:
    """The segments of a template; slashes inside braces (of a regex) do not count."""
    parts, depth = [""], 0
    for character in template:
        depth += (character == "{") - (character == "}")
        if character == "/" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _parse_segment(part: str, template: str) -> Segment:
    pieces = _PARAMETER.split(part)
    if len(pieces) == 1:
        if "{" in part or "}" in part:
            raise IndexingError(f"route {template!r}: unbalanced braces in {part!r}")
        return Segment(part.lower(), None)
    whole = len(pieces) == 3 and not pieces[0] and not pieces[2]
    expression, checks, last = "", [], None
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            expression += re.escape(piece)
            continue
        last = _Parameter(piece, template)
        checks += [(last.name, check) for check in last.checks]
        expression += f"(?P<{last.name}>.+)" if whole or last.catch_all else f"(?P<{last.name}>.+?)"
    assert last is not None
    return Segment(
        part,
        re.compile(expression, re.IGNORECASE | re.DOTALL),
        tuple(checks),
        whole and last.optional,
        whole and last.catch_all,
        last.default if whole else None,
        last.name,
    )


class _Parameter:
    """`{*name:constraint(argument):…=default?}`."""

    def __init__(self, text: str, template: str) -> None:
        head, *constraints = _split_constraints(text)
        tail = constraints[-1] if constraints else head
        self.default: str | None = None
        if "=" in tail and not tail.startswith("regex("):
            tail, self.default = tail.split("=", 1)
        self.optional = tail.endswith("?") and not tail.endswith("(?")
        tail = tail.removesuffix("?")
        if constraints:
            constraints[-1] = tail
        else:
            head = tail
        self.catch_all = head.startswith("*")
        self.name = head.lstrip("*")
        if not self.name.isidentifier():
            raise IndexingError(f"route {template!r}: {self.name!r} is no parameter name")
        self.checks = [_constraint(constraint, template) for constraint in constraints]


def _split_constraints(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _constraint(text: str, template: str) -> Check:
    match = _ARGUMENTS.fullmatch(text)
    kind = match[1].lower() if match else ""
    arguments = match[2] if match and match[2] is not None else ""
    if kind == "regex":
        pattern = re.compile(arguments.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    if kind in _CHECKS:
        return _CHECKS[kind]
    if kind in _BOUNDED:
        numbers = [int(number) for number in arguments.split(",")]
        return _BOUNDED[kind](*numbers)
    raise IndexingError(f"route {template!r}: there is no constraint {text!r}")


def _parses[Value](parse: Callable[[str], Value], *errors: type[Exception]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except errors:
            return False
        return True

    return check


def _integer(bits: int) -> Check:
    limit = 2 ** (bits - 1)

    def check(value: str) -> bool:
        digits = value.strip().removeprefix("-").removeprefix("+")
        return digits.isascii() and digits.isdigit() and -limit <= int(value) < limit

    return check


_long = _integer(64)

_CHECKS: dict[str, Check] = {
    "int": _integer(32),
    "long": _long,
    "bool": lambda value: value.lower() in {"true", "false"},
    "guid": _parses(uuid.UUID, ValueError),
    "datetime": _parses(datetime.fromisoformat, ValueError),
    "decimal": _parses(Decimal, InvalidOperation),
    "double": _parses(float, ValueError),
    "float": _parses(float, ValueError),
    "alpha": lambda value: value.isascii() and value.isalpha(),
    "required": bool,
}


def _length(least: int, most: int | None = None) -> Check:
    return lambda value: least <= len(value) <= (least if most is None else most)


_BOUNDED: dict[str, Callable[..., Check]] = {
    "length": _length,
    "minlength": lambda least: lambda value: len(value) >= least,
    "maxlength": lambda most: lambda value: len(value) <= most,
    "min": lambda least: lambda value: _long(value) and int(value) >= least,
    "max": lambda most: lambda value: _long(value) and int(value) <= most,
    "range": lambda least, most: lambda value: _long(value) and least <= int(value) <= most,
}

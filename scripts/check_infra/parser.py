"""Bicep's tokens as a tree. What this project does not use (user types, imports, spread) is refused."""

from __future__ import annotations

from functools import cache

from scripts.check_infra.expressions import ExpressionParser
from scripts.check_infra.lexer import Lexer
from scripts.check_infra.syntax import (
    Declaration,
    Expression,
    File,
    Module,
    Output,
    Parameter,
    Resource,
    TypeOf,
    Variable,
)

_TYPES = ("string", "int", "bool", "object", "array")


@cache
def parse(path: str, text: str) -> File:
    """The file's tree, which is not to be changed; raises BicepError."""
    return _Parser(path, Lexer(path, text).tokens()).file()


class _Parser(ExpressionParser):
    def file(self) -> File:
        file = File(self._path)
        self._skip_lines()
        while not self._at_end():
            self._statement(file)
            if not self._at_end():
                self._take("newline")
            self._skip_lines()
        return file

    def _statement(self, file: File) -> None:
        decorators = self._decorators()
        line, word = self._now.line, self._take("name").text
        match word:
            case "targetScope":
                self._take("mark", "=")
                file.scope = self._plain_string()
            case "using":
                file.using = self._plain_string()
            case "param":
                self._keep(file.parameters, self._parameter(line, decorators))
            case "var":
                name = self._assigned()
                self._keep(file.variables, Variable(line, name, self.expression(), decorators=decorators))
            case "output":
                name, kind = self._take("name").text, self._type()
                self._take("mark", "=")
                self._keep(file.outputs, Output(line, name, kind, self.expression(), decorators=decorators))
            case "resource":
                self._keep(file.resources, self._resource(line, decorators))
            case "module":
                name, path = self._take("name").text, self._plain_string()
                self._take("mark", "=")
                self._keep(file.modules, Module(line, name, path, self._body(), decorators=decorators))
            case _:
                self._wrong(f"no statement begins with {word}")

    def _keep[D: Declaration](self, among: dict[str, D], declaration: D) -> None:
        if declaration.name in among:
            self._wrong(f"{declaration.name} is declared twice")
        among[declaration.name] = declaration

    def _decorators(self) -> dict[str, tuple[Expression, ...]]:
        found: dict[str, tuple[Expression, ...]] = {}
        while self._is("@"):
            self._take("mark", "@")
            name = self._take("name").text
            found[name] = self._arguments()
            self._take("newline")
            self._skip_lines()
        return found

    def _assigned(self) -> str:
        name = self._take("name").text
        self._take("mark", "=")
        return name

    def _parameter(self, line: int, decorators: dict[str, tuple[Expression, ...]]) -> Parameter:
        name = self._take("name").text
        kind = None if self._is("=") else self._type()
        default = None
        if self._is("="):
            self._take("mark", "=")
            default = self.expression()
        return Parameter(line, name, kind, default, decorators=decorators)

    def _type(self) -> TypeOf:
        token = self._take("name")
        if token.text not in _TYPES:
            self._wrong(f"{token.text} is no type that this project uses")
        if not self._is("["):
            return TypeOf(token.line, token.text)
        self._take("mark", "[")
        self._take("mark", "]")
        return TypeOf(token.line, "array", token.text)

    def _resource(self, line: int, decorators: dict[str, tuple[Expression, ...]]) -> Resource:
        name = self._take("name").text
        kind, at, version = self._plain_string().partition("@")
        if not at:
            self._wrong(f"the resource {name} has no API version")
        existing = self._is_word("existing")
        if existing:
            self._take("name")
        self._take("mark", "=")
        return Resource(line, name, kind, version, existing, self._body(), decorators=decorators)

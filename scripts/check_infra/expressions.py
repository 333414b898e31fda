"""Bicep's expressions: tokens as a tree."""

from __future__ import annotations

from typing import NoReturn

from scripts.check_infra.findings import BicepError
from scripts.check_infra.lexer import Token
from scripts.check_infra.syntax import (
    Array,
    Binary,
    Call,
    Expression,
    For,
    If,
    Index,
    Lambda,
    Literal,
    Member,
    Name,
    Object,
    Property,
    Ternary,
    Text,
    Unary,
)

# From the loosest to the tightest.
_OPERATORS: tuple[tuple[str, ...], ...] = (
    ("??",),
    ("||",),
    ("&&",),
    ("==", "!=", "=~", "!~"),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class ExpressionParser:
    """Reads expressions from tokens; raises BicepError."""

    def __init__(self, path: str, tokens: tuple[Token, ...]) -> None:
        self._path = path
        self._tokens = tokens
        self._at = 0

    def expression(self) -> Expression:
        condition = self._binary(0)
        if not self._is_on_next_line("?"):
            return condition
        line = self._take("mark", "?").line
        self._skip_lines()
        then = self.expression()
        self._skip_lines()
        self._take("mark", ":")
        self._skip_lines()
        return Ternary(line, condition, then, self.expression())

    def _binary(self, level: int) -> Expression:
        if level == len(_OPERATORS):
            return self._unary()
        left = self._binary(level + 1)
        while self._now.kind == "mark" and self._now.text in _OPERATORS[level]:
            operator = self._take("mark")
            self._skip_lines()
            left = Binary(operator.line, operator.text, left, self._binary(level + 1))
        return left

    def _unary(self) -> Expression:
        if self._is("!") or self._is("-"):
            operator = self._take("mark")
            return Unary(operator.line, operator.text, self._unary())
        return self._postfix(self._primary())

    def _postfix(self, of: Expression) -> Expression:
        while self._now.kind == "mark":
            line = self._now.line
            match self._now.text:
                case "." | ".?" as mark:
                    self._take("mark")
                    of = Member(line, of, self._take("name").text, mark == ".?")
                case "[":
                    self._take("mark")
                    of = Index(line, of, self.expression())
                    self._take("mark", "]")
                case "!":
                    self._take("mark")
                    of = Unary(line, "assert", of)
                case _:
                    break
        return of

    def _primary(self) -> Expression:
        token = self._now
        match token.kind, token.text:
            case "string", _:
                return self._text()
            case "number", digits:
                self._take("number")
                return Literal(token.line, int(digits))
            case "name", _:
                return self._name()
            case "mark", "(":
                return self._parenthesis()
            case "mark", "[":
                return self._array()
            case "mark", "{":
                return self._object()
        return self._wrong(f"{token.text or 'the end'!r} where a value should be")

    def _text(self) -> Text:
        token = self._take("string")
        parts = (
            part if isinstance(part, str) else ExpressionParser(self._path, part).whole()
            for part in token.parts
        )
        return Text(token.line, tuple(parts))

    def whole(self) -> Expression:
        value = self.expression()
        self._take("end")
        return value

    def _name(self) -> Expression:
        token = self._take("name")
        if token.text in _CONSTANTS:
            return Literal(token.line, _CONSTANTS[token.text])
        if self._is("("):
            return Call(token.line, token.text, self._arguments())
        if self._is("=>"):
            self._take("mark")
            return Lambda(token.line, (token.text,), self.expression())
        return Name(token.line, token.text)

    def _arguments(self) -> tuple[Expression, ...]:
        self._take("mark", "(")
        found: list[Expression] = []
        self._skip_lines()
        while not self._is(")"):
            found.append(self.expression())
            self._skip_lines()
            if not self._is(")"):
                self._take("mark", ",")
                self._skip_lines()
        self._take("mark", ")")
        return tuple(found)

    def _parenthesis(self) -> Expression:
        start = self._at
        inside = self._arguments()
        if self._is("=>"):
            line = self._take("mark").line
            names = tuple(one.name for one in inside if isinstance(one, Name))
            return Lambda(line, names, self.expression())
        if len(inside) != 1:
            self._at = start
            self._wrong("one value belongs into parentheses")
        return inside[0]

    def _array(self) -> Expression:
        line = self._take("mark", "[").line
        self._skip_lines()
        if self._is_word("for"):
            return self._for(line)
        found: list[Expression] = []
        while not self._is("]"):
            found.append(self.expression())
            self._separator("]")
        self._take("mark", "]")
        return Array(line, tuple(found))

    def _for(self, line: int) -> For:
        self._take("name")
        if self._is("("):
            self._take("mark")
            first = self._take("name").text
            self._take("mark", ",")
            variables: tuple[str, ...] = (first, self._take("name").text)
            self._take("mark", ")")
        else:
            variables = (self._take("name").text,)
        if self._take("name").text != "in":
            self._wrong("in is missing")
        over = self.expression()
        self._take("mark", ":")
        body = self._body() if self._is_word("if") else self.expression()
        self._skip_lines()
        self._take("mark", "]")
        return For(line, variables, over, body)

    def _object(self) -> Object:
        line = self._take("mark", "{").line
        self._skip_lines()
        found: list[Property] = []
        while not self._is("}"):
            token = self._now
            key = self._text() if token.kind == "string" else Text(token.line, (self._take("name").text,))
            if any(key.parts == one.key.parts for one in found):
                self._wrong(f"the property {token.text} stands twice")
            self._take("mark", ":")
            found.append(Property(token.line, key, self.expression()))
            self._separator("}")
        self._take("mark", "}")
        return Object(line, tuple(found))

    def _separator(self, end: str) -> None:
        """A comma, or a line's end, between items; none is needed before `end`."""
        if self._is(","):
            self._take("mark")
        elif not self._is(end):
            self._take("newline")
        self._skip_lines()

    def _body(self) -> Expression:
        if self._is_word("if"):
            line = self._take("name").line
            self._take("mark", "(")
            condition = self.expression()
            self._take("mark", ")")
            return If(line, condition, self._body())
        if self._is("[") or self._is("{"):
            return self._primary()
        return self._wrong("a body is an object, a condition or a loop")

    # Tokens

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _at_end(self) -> bool:
        return self._now.kind == "end"

    def _is(self, mark: str) -> bool:
        return self._now.kind == "mark" and self._now.text == mark

    def _is_word(self, word: str) -> bool:
        return self._now.kind == "name" and self._now.text == word

    def _is_on_next_line(self, mark: str) -> bool:
        """Whether `mark` comes next, be it on another line; then those line ends are passed."""
        ahead = self._at
        while self._tokens[ahead].kind == "newline":
            ahead += 1
        found = self._tokens[ahead].kind == "mark" and self._tokens[ahead].text == mark
        self._at = ahead if found else self._at
        return found

    def _take(self, kind: str, text: str | None = None) -> Token:
        token = self._now
        if token.kind != kind or (text is not None and token.text != text):
            self._wrong(f"{text or kind} is missing before {token.text or 'the end'!r}")
        self._at += 1
        return token

    def _skip_lines(self) -> None:
        while self._now.kind == "newline":
            self._at += 1

    def _plain_string(self) -> str:
        token = self._take("string")
        if token.parts != (token.text,):
            self._wrong("a plain string is needed")
        return token.text

    def _wrong(self, what: str) -> NoReturn:
        raise BicepError(f"{self._path}:{self._now.line}", what)

"""Bicep's text as tokens. Line ends are tokens, for they end statements and properties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from scripts.check_infra.findings import BicepError

Kind = Literal["name", "number", "string", "mark", "newline", "end"]

_MARKS = (
    *("=>", "==", "!=", "=~", "!~", "<=", ">=", "&&", "||", "??", ".?"),
    *"=<>+-*/%!?:.,()[]{}@|",
)
_SPACE = re.compile(r"[ \t\r]+|//[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"\d+")
_ESCAPES = {"'": "'", "\\": "\\", "n": "\n", "r": "\r", "t": "\t", "$": "$"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text; a string's parts are texts and the tokens of what it interpolates."""

    kind: Kind
    text: str
    line: int
    parts: tuple[str | tuple[Token, ...], ...] = ()


class Lexer:
    """Reads one file's text."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._text = text
        self._at = 0
        self._line = 1

    def tokens(self, until: str | None = None) -> tuple[Token, ...]:
        """The tokens up to the end, or up to the mark `until`, which is passed over."""
        found: list[Token] = []
        depth = 0
        while (token := self._next()).kind != "end":
            if until and token.kind == "mark":
                if token.text == until and depth == 0:
                    return (*found, Token("end", "", self._line))
                depth += {"{": 1, "}": -1}.get(token.text, 0)
            found.append(token)
        if until:
            raise self._wrong(f"{until} is missing")
        return (*found, token)

    def _next(self) -> Token:
        while space := _SPACE.match(self._text, self._at):
            self._pass(space.group())
        line, rest = self._line, self._text[self._at : self._at + 3]
        if not rest:
            return Token("end", "", line)
        if rest[0] == "\n":
            self._pass("\n")
            return Token("newline", "\n", line)
        if rest == "'''":
            return self._long_string(line)
        if rest[0] == "'":
            return self._string(line)
        for kind, pattern in (("name", _NAME), ("number", _NUMBER)):
            if word := pattern.match(self._text, self._at):
                self._pass(word.group())
                return Token("name" if kind == "name" else "number", word.group(), line)
        mark = next((mark for mark in _MARKS if rest.startswith(mark)), None)
        if mark is None:
            raise self._wrong(f"{rest[0]!r} means nothing here")
        self._pass(mark)
        return Token("mark", mark, line)

    def _pass(self, text: str) -> None:
        self._at += len(text)
        self._line += text.count("\n")

    def _long_string(self, line: int) -> Token:
        end = self._text.find("'''", self._at + 3)
        if end < 0:
            raise self._wrong("a long string does not end")
        content = self._text[self._at + 3 : end]
        self._pass(self._text[self._at : end + 3])
        return Token("string", content, line, (content.removeprefix("\n"),))

    def _string(self, line: int) -> Token:
        self._pass("'")
        parts: list[str | tuple[Token, ...]] = []
        text = ""
        while True:
            one = self._text[self._at : self._at + 1]
            if one in ("", "\n"):
                raise self._wrong("a string does not end in its line")
            if one == "'":
                self._pass(one)
                return Token("string", text, line, (*parts, text) if text or not parts else tuple(parts))
            if self._text.startswith("${", self._at):
                self._pass("${")
                parts += [text] if text else []
                parts.append(self.tokens(until="}"))
                text = ""
                continue
            text += self._escaped() if one == "\\" else one
            self._pass(one)

    def _escaped(self) -> str:
        """The character after a backslash; the last one of the two stays to be passed."""
        self._pass("\\")
        escaped = _ESCAPES.get(self._text[self._at : self._at + 1])
        if escaped is None:
            raise self._wrong("an unknown escape")
        return escaped

    def _wrong(self, what: str) -> BicepError:
        return BicepError(f"{self._path}:{self._line}", what)

"""Structured logging: every line is one JSON object with the request, function and instance it belongs to.

The object is the message itself, so it survives whichever handler the host puts on the root logger. Fields
hold identifiers and figures, never bodies, keys or tokens.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

import msgspec

ROOT = "floe"


class Context(NamedTuple):
    """Whose line it is; no request where a timer, a queue or a stream is at work."""

    request_id: str | None
    function: str
    traceparent: str | None


_context: ContextVar[Context | None] = ContextVar("floe_log_context", default=None)
_instance = f"local-{secrets.token_hex(4)}"


def bind(request_id: str | None, function: str, traceparent: str | None = None) -> Token[Context | None]:
    """Lines logged from here on, in this task, carry these; give the token to `unbind`.

    `traceparent` is what the client sent as such, unchecked; it is in no line.
    """
    return _context.set(Context(request_id, function, traceparent))


def unbind(token: Token[Context | None]) -> None:
    """Back to what held before `bind`."""
    _context.reset(token)


@contextmanager
def working(function: str) -> Iterator[None]:
    """Lines logged inside name `function`, which serves no request; a decorator, too."""
    token = bind(None, function)
    try:
        yield
    finally:
        unbind(token)


def request_id() -> str | None:
    """The id of the request that this task serves."""
    context = _context.get()
    return context.request_id if context else None


def traceparent() -> str | None:
    """What the client of this task's request sent as `traceparent`, unchecked."""
    context = _context.get()
    return context.traceparent if context else None


def configure(level: str, instance: str | None = None) -> None:
    """Log `level` and above; lines name `instance`, else a name made up for this process."""
    global _instance
    logging.getLogger(ROOT).setLevel(level)
    if instance:
        _instance = instance


def instance() -> str:
    """The name of this instance in log lines."""
    return _instance


def get_log(name: str) -> Log:
    """The log of one part of Floe, such as `http` or `flush`."""
    return Log(logging.getLogger(f"{ROOT}.{name}"))


class Log:
    """Writes events with fields; an event is a few constant words, what varies goes into the fields."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: Any) -> None:
        """Of use to a developer only."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Worth knowing; nothing to do."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something is wrong and Floe goes on."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Something failed."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, error: BaseException, **fields: Any) -> None:
        """Something failed in a way that nobody foresaw: with the traceback of `error`."""
        fields["traceback"] = "".join(traceback.format_exception(error))
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", line(event, fields), stacklevel=3)


def line(event: str, fields: dict[str, Any]) -> str:
    """One event as a JSON object, context first after the event."""
    context = _context.get()
    whose = {"instance": _instance}
    if context is not None:
        whose["function"] = context.function
        if context.request_id is not None:
            whose["request_id"] = context.request_id
    return msgspec.json.encode({"event": event, **whose, **fields}, enc_hook=str).decode()

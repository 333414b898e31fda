"""Spans, where a tracer is installed; nothing, at next to no cost, where none is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

from shared.platform import logs

type Kind = Literal["server", "consumer", "internal"]
type Attributes = Mapping[str, str | int]

# W3C Trace Context: version, trace, parent, flags. All zeros in trace or parent mean nothing.
TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_NONE: Attributes = {}


class Span(Protocol):
    """A span that has begun, in whose context what follows in this task happens."""

    def end(self, attributes: Attributes = _NONE, *, failed: bool = False) -> None:
        """It is over; must be called in the task that began it."""
        ...


class Tracer(Protocol):
    """Makes spans and sends them somewhere. None of its methods blocks on that, or raises."""

    def begin(
        self, name: str, kind: Kind, attributes: Attributes, parent: str | None, links: Sequence[str]
    ) -> Span:
        """Begins a span; `parent` and `links` are valid traceparents; without one, the current span is."""
        ...

    def traceparent(self) -> str | None:
        """The current span's."""
        ...


_installed: list[Tracer] = []


def install(tracer: Tracer | None) -> None:
    """From here on `tracer` gets the spans of this process."""
    _installed[:] = [] if tracer is None else [tracer]


def installed() -> bool:
    """Whether spans go anywhere."""
    return bool(_installed)


def begin(
    name: str,
    kind: Kind,
    attributes: Attributes = _NONE,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
) -> Span | None:
    """Begins a span; None where no tracer is installed. An invalid `parent` is left out."""
    if not _installed:
        return None
    known = parent if parent and TRACEPARENT.fullmatch(parent) else None
    return _installed[0].begin(name, kind, attributes, known, links)


@contextmanager
def span(
    name: str, kind: Kind = "internal", attributes: Attributes = _NONE, *, links: Sequence[str] = ()
) -> Iterator[None]:
    """A span around a block; failed where the block raises."""
    begun = begin(name, kind, attributes, links=links)
    failed = True
    try:
        yield
        failed = False
    finally:
        if begun is not None:
            begun.end(failed=failed)


def traceparent() -> str:
    """What continues the trace of now: the current span, else what the request came with, else a new one."""
    current = _installed[0].traceparent() if _installed else logs.traceparent()
    if current and TRACEPARENT.fullmatch(current):
        return current
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"

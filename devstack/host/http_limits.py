"""What the real host's server refuses before a function hears of it: Kestrel's default limits, on uvicorn.

Too long a request line is 414, too many or too large headers 431, too slow a request 408, and HTTP that is
none 400. The connection ends with it.
"""

import asyncio
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """In bytes, and seconds; `body_rate` is in bytes a second, once a body has taken `grace_seconds`."""

    request_line: int = 8192
    headers: int = 100
    header_bytes: int = 32_768
    header_seconds: float = 30
    idle_seconds: float = 130
    body_rate: float = 240
    grace_seconds: float = 5
    check_seconds: float = 1


class _Phase(Enum):
    """Where a connection stands: between requests, in the head of one, in its body."""

    BETWEEN = 0
    HEAD = 1
    BODY = 2


class _Refused(Exception):
    """Raised in the parser's callbacks, which ends the parsing."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection, within `limits`; one timer of its own looks whether it is too slow."""

    limits = HttpLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phase = _Phase.BETWEEN
        self._since = self.loop.time()
        self._received = 0
        self._slow = 0
        self._refusal = 400
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Watch it from now on."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A head that does not end is refused when it crosses the limits, not when it ends."""
        super().data_received(data)
        if self._phase is _Phase.HEAD:
            self._received += len(data)
            if self._received > self.limits.request_line + self.limits.header_bytes:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._enter(_Phase.HEAD)

    def on_headers_complete(self) -> None:
        """The head is there: check it, then let the request begin."""
        if (refusal := self._refusal_of_head()) is not None:
            self._refusal = refusal
            raise _Refused
        self._enter(_Phase.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count it."""
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte of a request."""
        self._enter(_Phase.BETWEEN)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers when the parser gives up."""
        self._refuse(self._refusal)

    def _enter(self, phase: _Phase) -> None:
        self._phase, self._since, self._received, self._slow = phase, self.loop.time(), 0, 0

    def _refusal_of_head(self) -> int | None:
        limits, headers = self.limits, self.headers
        if len(self.url) > limits.request_line:
            return 414
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > limits.headers or size > limits.header_bytes:
            return 431
        version = self.parser.get_http_version()
        hosts = [value for name, value in headers if name == b"host"]
        named = len(hosts) == 1 or (not hosts and version == "1.0")
        if version not in ("1.0", "1.1") or not named or not all(map(_HOST.fullmatch, hosts)):
            return 400
        return None

    def _watch(self) -> None:
        self._timer = self.loop.call_later(self.limits.check_seconds, self._watch)
        elapsed = self.loop.time() - self._since
        # Twice in a row, for what has arrived may not have been read yet.
        self._slow = self._slow + 1 if self._is_slow(elapsed) else 0
        if self._slow < 2:
            return
        if self._phase is _Phase.BETWEEN:
            self.transport.close()
        else:
            self._refuse(408)

    def _is_slow(self, elapsed: float) -> bool:
        match self._phase:
            case _Phase.HEAD:
                return elapsed > self.limits.header_seconds
            case _Phase.BODY:
                return (
                    elapsed > self.limits.grace_seconds and self._received < self.limits.body_rate * elapsed
                )
            case _Phase.BETWEEN:
                return self.cycle is None and elapsed > self.limits.idle_seconds

    def _refuse(self, status: int) -> None:
        """Answer with `status` where nothing else is on its way, and end the connection."""
        if self.transport.is_closing():
            return
        begun = self.cycle is not None and not self.cycle.response_complete
        if not begun or (self._phase is _Phase.BODY and not self.cycle.response_started):
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


def limited_to(limits: HttpLimits) -> type[LimitedProtocol]:
    """The protocol with limits of one's own."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})

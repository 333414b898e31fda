"""HTTP written by hand, for requests that no client library would send."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

# No answer within this time is a hang.
PATIENCE = 30.0


@dataclass(frozen=True)
class RawAnswer:
    """What came back; status 0 where the connection ended without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


def send(url: str, *parts: bytes, closing: bool = False) -> RawAnswer:
    """Sends `parts` to the origin of `url` as they are; `closing` ends the sending side after them."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 80), PATIENCE) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            if closing:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent: the answer is there nevertheless
        try:
            answer = HTTPResponse(connection)
            answer.begin()
            return RawAnswer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (HTTPException, ConnectionResetError):
            return RawAnswer(0, {}, b"")


def request(
    method: str, target: str, body: bytes | None = None, *lines: bytes, length: int | None = None
) -> bytes:
    """A request with header `lines`; its Content-Length is the body's unless `length` says otherwise."""
    if body is not None:
        lines = (*lines, b"Content-Length: %d" % (len(body) if length is None else length))
    head = b"\r\n".join([f"{method} {target} HTTP/1.1".encode("latin-1"), b"Host: floe.test", *lines])
    return head + b"\r\n\r\n" + (body or b"")

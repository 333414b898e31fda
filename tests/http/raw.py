"""HTTP written by hand, for requests that no client library would send."""

from __future__ import annotations

import socket
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from tests.http.conftest import Answer

# No answer within this time is a hang.
PATIENCE = 30.0


def send(url: str, *parts: bytes, closing: bool = False) -> Answer:
    """Sends `parts` to the origin of `url` as they are; `closing` ends the sending side after them.

    The answer's headers have lower-case names; its status is 0 where the connection ended without an answer.
    """
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
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (HTTPException, ConnectionResetError):
            return Answer(0, {}, b"")


def request(
    method: str, target: str, body: bytes | None = None, *lines: bytes, length: int | None = None
) -> bytes:
    """A request with header `lines`; its Content-Length is the body's unless `length` says otherwise."""
    if body is not None:
        lines = (*lines, b"Content-Length: %d" % (len(body) if length is None else length))
    head = b"\r\n".join([f"{method} {target} HTTP/1.1".encode("latin-1"), b"Host: floe.test", *lines])
    return head + b"\r\n\r\n" + (body or b"")

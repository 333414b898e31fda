"""What the host's server refuses by itself: too long, too large, too slow, broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from devstack.host.http import HttpServer
from devstack.host.http_limits import HttpLimits

SMALL = HttpLimits(request_line=200, headers=10, header_bytes=1000)
HASTY = HttpLimits(
    header_seconds=0.05, idle_seconds=0.05, body_rate=10**9, grace_seconds=0.05, check_seconds=0.02
)
GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo:
    """An ASGI application that answers with the body; knows how many bodies it got whole."""

    def __init__(self) -> None:
        self.whole = 0
        self.broken = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.broken.set()
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.whole += 1
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """The application."""
    return Echo()


@asynccontextmanager
async def listening(echo: Echo, limits: HttpLimits) -> AsyncIterator[int]:
    server = HttpServer(echo, "127.0.0.1", 0, limits)  # type: ignore[arg-type]
    await server.start()
    yield int(server.url.rpartition(":")[2])
    await server.stop(5)


@pytest.fixture
async def port(echo: Echo) -> AsyncIterator[int]:
    """Where it listens that takes little."""
    async with listening(echo, SMALL) as port:
        yield port


@pytest.fixture
async def hasty_port(echo: Echo) -> AsyncIterator[int]:
    """Where it listens that does not wait."""
    async with listening(echo, HASTY) as port:
        yield port


async def exchange(port: int, *parts: bytes, closing: bool = False) -> bytes:
    """Sends the parts, and gives back all that comes until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    if closing:
        writer.write_eof()
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def with_header(line: bytes, count: int = 1) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: x\r\n" + (line + b"\r\n") * count + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (with_header(b"X-A: " + b"a" * 1000), 431),
        (with_header(b"X-A: a", 10), 431),
        (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 5000, 431),
        (b"GET /" + b"a" * 5000, 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (with_header(b"Host: y"), 400),
        *(
            (GOOD.replace(b"x\r", host + b"\r"), 400)
            for host in (b"[", b"a]b", b"a/b?c", b"a b", b"a@b", b"\xff")
        ),
        (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 400),
        (with_header(b"X-A : a"), 400),
        (with_header(b"X-A: a\r\n folded"), 400),
        (with_header(b"X-A: a\0b"), 400),
        (with_header(b"X-A: a\rb"), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", 400),
    ],
)
async def test_what_is_refused_at_once(sent: bytes, status: int, port: int, echo: Echo) -> None:
    assert status_of(await exchange(port, sent)) == status
    assert echo.whole == 0
    assert status_of(await exchange(port, GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-", 408),
        (b"G", 408),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", 408),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 408),
        (b"", 0),
    ],
)
async def test_who_is_too_slow_is_not_waited_for(
    sent: bytes, status: int, hasty_port: int, echo: Echo
) -> None:
    assert status_of(await exchange(hasty_port, sent)) == status
    assert echo.whole == 0


async def test_a_body_that_breaks_off_is_none(port: int, echo: Echo) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    assert await exchange(port, head, b"abc", closing=True) == b""
    await echo.broken.wait()
    assert echo.whole == 0


async def test_a_second_request_on_a_connection_is_watched_like_the_first(hasty_port: int) -> None:
    answers = await exchange(hasty_port, GOOD + b"GET / HTTP/1.1\r\nHost: x\r\nX-")
    assert (answers.count(b"HTTP/1.1 200"), answers.count(b"HTTP/1.1 408")) == (1, 1)


async def test_what_is_within_the_limits_is_answered(port: int) -> None:
    body = b"a" * 100_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    answer = await exchange(port, head + body)
    assert answer.partition(b"\r\n\r\n")[2] == body
    assert status_of(await exchange(port, b"GET / HTTP/1.0\r\n\r\n")) == 200

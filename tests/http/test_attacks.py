"""Hostile requests against a running stack: each a clear 4xx, never a hang or a 5xx, and the host goes on.

What the host's server refuses before a function hears of it has no family's form; what the app refuses has.
"""

from __future__ import annotations

import gzip
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from functions._http.families import Failure, family_of
from shared.adapters.table_storage import TableStorage
from shared.identity.signing_keys import SigningKey, SigningKeys
from shared.platform.clock import utc_now
from tests.http.conftest import Answer
from tests.http.raw import request, send
from tests.identity.forgeries import FORGERIES, claims_of, signed
from tests.place import account_of
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

EVENT = b'{"event_type":"user_action","data":{}}'
LOGIN = b'{"username":"nobody","password":"wrong password"}'
CHUNKED = b"Transfer-Encoding: chunked"
GZIP = b"Content-Encoding: gzip"


@pytest.fixture(scope="module")
def url(stack: RunningStack) -> Iterator[str]:
    """Where the stack listens; at the end the same process must still listen, without a failure inside."""
    log = stack.home / "logs" / "host.log"
    host, failures = stack.pid("host"), log.read_text().count("request failed")
    yield stack.info["http_url"]
    assert httpx.get(stack.info["http_url"] + "/health").status_code == 200
    assert (stack.pid("host"), log.read_text().count("request failed")) == (host, failures)


@pytest.fixture(scope="module")
def key(stack: RunningStack) -> bytes:
    """The administrator's key."""
    return str(stack.info["api_key"]).encode()


def assert_in_form(answer: Answer, path: str) -> None:
    """The answer is an error in the form of the family of `path`, with the id of the request."""
    form = family_of(path).render(Failure(400, "c", "t", "m", {}, "r", "t"))
    assert set(answer.json) == set(form), answer.body
    assert answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"


def bodies() -> Iterator[tuple[str, str, bytes, tuple[bytes, ...], int]]:
    """Name, path, body, header lines, status."""
    deep = b"[" * 100_000
    bomb = gzip.compress(bytes(50 * 2**20), 9, mtime=0)
    for path, good in (("/api/events", EVENT), ("/auth/login", LOGIN), ("/api/v1/auth/login", LOGIN)):
        yield "nothing", path, b"", (), 400
        yield "cut", path, good[:-1], (), 400
        yield "two values", path, good + good, (), 400
        yield "a list", path, b"[]", (), 400
        yield "null", path, b"null", (), 400
        yield "not UTF-8", path, good.replace(b"{", b'{"a":"\xff\xfe",', 1), (), 400
        yield "UTF-16", path, good.decode().encode("utf-16"), (), 400
        yield "a byte order mark", path, b"\xef\xbb\xbf" + good, (), 400
        yield "a NUL", path, good.replace(b'":', b'"\0:', 1), (), 400
        yield "a NUL in a string", path, good.replace(b'"}', b'\0"}').replace(b"{}}", b'{"a":"\0"}}'), (), 400
        yield "half a surrogate pair", path, good.replace(b"{", b'{"a":"\\ud800",', 1), (), 400
        yield "deep", path, good.replace(b"{", b'{"a":' + deep + b"]" * len(deep) + b",", 1), (), 400
        yield "deep and open", path, b'{"a":' + deep, (), 400
        yield "NaN", path, good.replace(b"{", b'{"a":NaN,', 1), (), 400
        yield "gzip that is none", path, good, (GZIP,), 400
        yield "half a gzip", path, gzip.compress(good, mtime=0)[:-4], (GZIP,), 400
        yield "gzip with a tail", path, gzip.compress(good, mtime=0) + b"tail", (GZIP,), 400
        yield "endless gzip members", path, gzip.compress(b"", mtime=0) * 5000, (GZIP,), 400
        yield "gzip bomb", path, bomb, (GZIP,), 413
        yield "two encodings", path, good, (GZIP, GZIP), 415
        yield "unknown encoding", path, good, (b"Content-Encoding: br",), 415
        yield "a form", path, b"a=b", (b"Content-Type: application/x-www-form-urlencoded",), 415
        yield "multipart", path, b"--x--", (b"Content-Type: multipart/form-data; boundary=x",), 415
        yield "two types", path, good, (b"Content-Type: application/json", b"Content-Type: text/plain"), 415
        yield "another charset", path, good, (b"Content-Type: application/json; charset=utf-16",), 415
        yield "too large", path, b'{"a":"' + b"a" * 11_000_000 + b'"}', (), 413
    for path in ("/auth/login", "/api/v1/auth/login"):
        yield "a member twice", path, LOGIN.replace(b"{", b'{"username":"admin",', 1), (), 400
        yield "a member twice, escaped", path, LOGIN.replace(b"{", b'{"us\\u0065rname":"x",', 1), (), 400
        yield "a member twice, deep", path, LOGIN.replace(b"{", b'{"a":[{"b":":","b":1}],', 1), (), 400
        yield "beyond a double", path, LOGIN.replace(b"{", b'{"a":1e999,', 1), (), 400
        yield "a list for a string", path, LOGIN.replace(b'"nobody"', b'["nobody"]'), (), 400
        yield "an object for a string", path, LOGIN.replace(b'"nobody"', b'{"$ne":null}'), (), 400
    for number in (b"9" * 5000, b"1e999", b"-1e999"):
        yield "beyond a double", "/api/events", EVENT.replace(b"{}", b'{"value":%s}' % number), (), 400


@pytest.mark.parametrize(
    ("path", "body", "lines", "status"),
    [pytest.param(*rest, id=f"{rest[0].strip('/')}-{name}") for name, *rest in bodies()],
)
def test_bodies(path: str, body: bytes, lines: tuple[bytes, ...], status: int, url: str) -> None:
    answer = send(url, request("POST", path, body, *lines))
    assert answer.status == status, answer
    assert_in_form(answer, path)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        *(
            (f"/api/events?limit={value}", 400)
            for value in ("0", "-1", "1001", "9" * 400, "1e2", "%00", "%zz")
        ),
        *((f"/api/events?limit={value}", 400) for value in ("%D9%A3", "5%00", "5%0d%0aX:1", "0x10", "NaN")),
        ("/api/events?limit=1&limit=2", 400),
        ("/api/events?limit=1&LIMIT=2", 400),
        ("/api/events?limit=1&%6Cimit=2", 400),
        ("/api/events?limit=1;limit=2", 400),
        ("/api/events?event_type=%ff%fe", 400),
        ("/api/events?event_type='%20OR%201=1--", 400),
        ("/api/events?event_type=error&event_type=user_action", 400),
        ("/api/events?start_time=9999-12-31T23:59:59-23:59", 400),
        ("/api/events?start_time=2025-02-30T00:00:00Z", 400),
        ("/api/events?offset=100001", 400),
        ("/api/events/%2e%2e/%2e%2e/keys", 401),
        ("/api/%00", 404),
        ("/api/v1/%ff", 404),
        ("/docs/..%2f..%2flocal.settings.json", 400),
        ("/docs/..%5c..%5clocal.settings.json", 400),
        ("/storage//flush", 404),
    ],
)
def test_paths_and_parameters(target: str, status: int, url: str) -> None:
    answer = send(url, request("GET", target))
    assert answer.status == status, answer
    assert_in_form(answer, "/keys" if "%2e" in target else target.partition("?")[0])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND"])
def test_other_methods(method: str, url: str) -> None:
    answer = send(url, request(method, "/health"))
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert_in_form(answer, "/health")


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"Authorization: Bearer %s", b"Authorization: Bearer %s"], 401),
        ([b"Authorization: Bearer %s, Bearer %s"], 401),
        ([b"Authorization: Basic %s"], 401),
        ([b"Authorization: Bearer %s x"], 401),
        ([b"Authorization: Bearer \xff\xfe"], 401),
        ([b"X-API-Key: %s", b"X-API-Key: %s"], 401),
        ([b"X-API-Key: %s", b"Authorization: Bearer other"], 401),
        ([b"X-API-Key: other", b"Authorization: Bearer %s"], 401),
        ([b"X-HTTP-Method-Override: DELETE"], 401),
        ([b"X-Original-URL: /health"], 401),
        ([b"Cookie: X-API-Key=%s"], 401),
        ([b"X-API-Key:\r\n %s"], 400),
        ([b"X-API-Key : %s"], 400),
        ([b"X-A: a\rX-API-Key: %s"], 400),
        ([b"X-A: a\nX-API-Key: %s"], 400),
        ([b"X-A: \0", b"X-API-Key: %s"], 400),
        ([b"Host: elsewhere.test", b"X-API-Key: %s"], 400),
        ([b"X-API-Key: %s", b"X-A: " + b"a" * 40_000], 431),
        ([b"X-API-Key: %s", *[b"X-A: a"] * 200], 431),
    ],
)
def test_headers(lines: list[bytes], status: int, url: str, key: bytes) -> None:
    answer = send(
        url, request("GET", "/keys?per_page=1", None, *(line.replace(b"%s", key) for line in lines))
    )
    assert answer.status == status, answer
    if status == 401:
        assert_in_form(answer, "/keys")
        assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("POST", "/api/events", EVENT, CHUNKED), 400),
        (request("POST", "/api/events", None, CHUNKED) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT), 400),
        (request("POST", "/api/events", None, CHUNKED) + b"zz\r\n%s\r\n0\r\n\r\n" % EVENT, 400),
        (request("POST", "/api/events", None, CHUNKED) + b"5\r\n%s\r\n0\r\n\r\n" % EVENT, 400),
        (request("POST", "/api/events", None, CHUNKED) + b"f" * 20 + b"\r\n", 400),
        (request("POST", "/api/events", None, b"Transfer-Encoding: x, chunked") + b"0\r\n\r\n", 400),
        (request("POST", "/api/events", EVENT, b"Content-Length: 3"), 400),
        (request("POST", "/api/events", EVENT, length=-1), 400),
        (request("POST", "/api/events", EVENT, length=10**30), 400),
        (request("POST", "/api/events", EVENT, length=300 * 10**6), 413),
        (request("GET", "/" + "a" * 10_000), 414),
        (request("GET", "/api/events?x=" + "a" * 10_000), 414),
        (request("GET", "/api/events?event_type=\xff"), 400),
        (b"GET /health\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
)
def test_broken_framing(sent: bytes, status: int, url: str) -> None:
    assert send(url, sent).status == status


@pytest.mark.parametrize(
    "sent",
    [request("POST", "/auth/logout", b"", length=10), request("POST", "/api/events", EVENT, length=500)],
)
def test_a_body_that_breaks_off_does_nothing(sent: bytes, url: str) -> None:
    assert send(url, sent, closing=True).status == 0


def test_a_slow_body_is_not_waited_for(url: str) -> None:
    assert send(url, request("POST", "/api/events", EVENT, length=500)).status == 408


def test_many_slow_requests_hold_up_nobody(url: str) -> None:
    place = urlsplit(url)
    with ExitStack() as stack:
        for _ in range(100):
            slow = stack.enter_context(socket.create_connection((place.hostname or "", place.port or 80)))
            slow.sendall(b"POST /api/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert send(url, request("POST", "/api/events", EVENT)).status == 200


@pytest.fixture(scope="module")
def token(url: str, key: bytes) -> str:
    """A good access token of a user."""
    name = f"attacked-{secrets.token_hex(4)}"
    user = {"username": name, "password": secrets.token_hex(16), "email": f"{name}@example.com"}
    made = httpx.post(f"{url}/users/register", json=user, headers={"X-API-Key": key.decode()})
    assert made.status_code == 201
    return str(httpx.post(f"{url}/auth/login", json=user | {"email": None}).json()["access_token"])


@pytest.fixture(scope="module")
def signing_key(stack: RunningStack, token: str) -> SigningKey:
    """The key that the stack signs with."""
    tables = TableStorage(account_of(stack.info["storage_connection_string"]))
    return SigningKeys(tables, utc_now).signing()


def asked_with(url: str, token: str) -> Answer:
    return send(url, request("GET", "/users/me", None, b"Authorization: Bearer " + token.encode()))


def test_the_good_token_is_good_however_often_it_is_signed(
    url: str, token: str, signing_key: SigningKey
) -> None:
    assert asked_with(url, token).status == 200
    assert asked_with(url, signed(claims_of(token), signing_key)).status == 200


@pytest.mark.parametrize("how", FORGERIES)
def test_forged_tokens(how: str, url: str, token: str, signing_key: SigningKey) -> None:
    answer = asked_with(url, FORGERIES[how](token, signing_key))
    assert answer.status == 401, answer
    assert_in_form(answer, "/users/me")
    assert "www-authenticate" in answer.headers

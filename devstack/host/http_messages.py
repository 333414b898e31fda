"""Between ASGI and the worker's HTTP messages, with the real host's quirks."""

from collections.abc import Iterable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from devstack.host.protos import RpcHttp, RpcHttpCookie, TypedData

type Headers = list[tuple[bytes, bytes]]

_PATH_SAFE = "/!$&'()*+,;=:@~%"
_OWN_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"connection"})


def decode_path(raw: bytes) -> str:
    """The path as Kestrel hands it on: decoded except `%2F`, without dot segments."""
    if b"%" not in raw and b"/." not in raw:
        return raw.decode("latin-1")
    kept = raw.replace(b"%2F", b"%252F").replace(b"%2f", b"%252f")
    path = unquote_to_bytes(kept).decode("utf-8", "replace")
    return _without_dots(path) if "/." in path else path


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")
    for part in parts[1:]:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def decode_query(raw: bytes) -> dict[str, str]:
    """Repeated keys (in any case) joined by commas; empty values dropped."""
    if not raw:
        return {}
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        first = names.setdefault(name.lower(), name)
        values.setdefault(first, []).append(value)
    return {name: joined for name, found in values.items() if (joined := ",".join(found))}


def read_request(scope: dict[str, Any], path: str, params: dict[str, str], body: bytes) -> TypedData:
    """The request as the function gets it."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query: bytes = scope["query_string"]
    suffix = "?" + query.decode("latin-1") if query else ""
    origin = f"{scope['scheme']}://{headers.get('host', '')}"
    return TypedData(
        http=RpcHttp(
            method=scope["method"],
            url=f"{origin}{quote(path, safe=_PATH_SAFE)}{suffix}",
            headers=headers,
            body=TypedData(bytes=body),
            params=params,
            query=decode_query(query),
        )
    )


def write_response(value: TypedData | None) -> tuple[int, Headers, bytes]:
    """Status, headers and body of what the function returned."""
    kind = value.WhichOneof("data") if value is not None else None
    if value is not None and kind == "http":
        return _write_http(value.http)
    if value is not None and kind in {"string", "json"}:
        text = value.string if kind == "string" else value.json
        return 200, [(b"content-type", b"text/plain; charset=utf-8")], text.encode()
    return 204, [], b""


def _write_http(response: RpcHttp) -> tuple[int, Headers, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in response.headers.items():
        headers[name.lower().encode("latin-1")] = value.encode("latin-1", "replace")
    body = response.body.bytes if response.body.WhichOneof("data") == "bytes" else b""
    kept = [(name, value) for name, value in headers.items() if name not in _OWN_HEADERS]
    return int(response.status_code), kept + list(_cookies(response.cookies or [])), body


def _cookies(cookies: Iterable[RpcHttpCookie]) -> Iterable[tuple[bytes, bytes]]:
    for cookie in cookies:
        yield b"set-cookie", "; ".join(_cookie_parts(cookie)).encode("latin-1", "replace")


def _cookie_parts(cookie: RpcHttpCookie) -> Iterable[str]:
    yield f"{cookie.name}={quote(cookie.value, safe='')}"
    if cookie.expires:
        yield f"expires={formatdate(cookie.expires.value.seconds, usegmt=True)}"
    if cookie.max_age:
        yield f"max-age={int(cookie.max_age.value)}"
    if cookie.domain and cookie.domain.value:
        yield f"domain={cookie.domain.value}"
    if cookie.path and cookie.path.value:
        yield f"path={cookie.path.value}"
    if cookie.secure and cookie.secure.value:
        yield "secure"
    same_site = {1: "lax", 2: "strict", 3: "none"}.get(cookie.same_site)
    if same_site:
        yield f"samesite={same_site}"
    if cookie.http_only and cookie.http_only.value:
        yield "httponly"

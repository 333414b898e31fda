"""HTTP through a running host: what functions get and what clients get back."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.host.running import APPS, RunningHost


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    host = RunningHost(APPS / "shop", tmp_path_factory.mktemp("shop")).ready()
    yield host
    assert host.stop() == 0


@pytest.fixture
def client(host: RunningHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{host.url}/shop") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "function", "params"),
    [
        ("GET", "/goods/new", "new_goods", {}),
        ("GET", "/GOODS/New", "new_goods", {}),
        ("GET", "/goods/7", "numbered_good", {"id": "7"}),
        ("GET", "/goods/seven", "any_good", {"id": "seven"}),
        ("PUT", "/goods/7", "put_good", {"id": "7"}),
        ("GET", "/goods/a/b", "rest", {"path": "a/b"}),
        ("GET", "/goods/", "rest", {}),
        ("GET", "/goods/a%2Fb", "any_good", {"id": "a%2Fb"}),
        ("GET", "/goods/caf%C3%A9%20au+lait", "any_good", {"id": "café au+lait"}),
    ],
)
def test_the_most_specific_route_answers(
    client: httpx.Client, method: str, path: str, function: str, params: dict[str, str]
) -> None:
    response = client.request(method, path)
    assert response.json() == {"function": function, "params": params}


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/goods/7"), ("HEAD", "/goods/7"), ("GET", "/none"), ("GET", "/../goods/7")],
)
def test_what_no_route_takes_is_404(host: RunningHost, method: str, path: str) -> None:
    url = httpx.URL(host.url).copy_with(raw_path=b"/shop" + path.encode())
    response = httpx.request(method, url)
    assert (response.status_code, response.content) == (404, b"")


def test_the_request_arrives_as_on_the_real_host(host: RunningHost, client: httpx.Client) -> None:
    response = client.post(
        "/echo?a=1&b=&A=2&c=x%20y+z",
        content=b"body",
        headers=[("X-Thing", "one"), ("x-thing", "two"), ("Content-Type", "text/plain")],
    )
    seen = response.json()
    assert seen["method"] == "POST"
    assert seen["query"] == {"a": "1,2", "c": "x y z"}
    assert seen["headers"]["x-thing"] == "one,two"
    assert all(name == name.lower() for name in seen["headers"])
    assert seen["url"] == f"{host.url}/shop/echo?a=1&b=&A=2&c=x%20y+z"
    assert seen["body"] == "body"


def test_async_functions_run_on_the_loop_and_sync_ones_on_threads(client: httpx.Client) -> None:
    assert client.get("/echo").json()["thread"] == "MainThread"
    assert client.get("/size").json()["thread"].startswith("ThreadPoolExecutor")


def test_a_chunked_body_is_dropped(client: httpx.Client) -> None:
    response = client.post("/echo", content=iter([b"some", b"thing"]))
    assert response.json()["body"] == ""


def test_headers_collapse_and_cookies_survive(client: httpx.Client) -> None:
    response = client.get("/headers")
    assert response.status_code == 201
    assert response.headers.get_list("x-twice") == ["last"]
    assert response.headers.get_list("set-cookie") == [
        "basket=two%20apples; max-age=60; httponly",
        "seen=yes; expires=Thu, 01 Jan 2026 00:00:00 GMT; path=/; samesite=lax",
    ]


def test_a_returned_string_is_text(client: httpx.Client) -> None:
    response = client.get("/text")
    assert response.text == "plain wörds"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_head_has_the_length_and_no_body(client: httpx.Client) -> None:
    response = client.head("/text")
    assert (response.headers["content-length"], response.content) == ("12", b"")


def test_no_content_has_no_length(client: httpx.Client) -> None:
    response = client.get("/nothing")
    assert response.status_code == 204
    assert "content-length" not in response.headers


@pytest.mark.parametrize("path", ["/broken", "/returns_none"])
def test_an_exception_is_500_without_a_body(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (500, b"")


def test_logs_are_lines_with_function_and_invocation(host: RunningHost, client: httpx.Client) -> None:
    client.get("/broken")
    line = next(line for line in host.log.splitlines() if "the till is stuck" in line)
    assert "warning" in line
    assert "broken[" in line
    assert line.endswith("the till is stuck\\nreally")
    assert any("ValueError: out of order" in line and "broken[" in line for line in host.log.splitlines())


def test_a_connection_serves_many_requests(client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url, limits=httpx.Limits(max_connections=1)) as one:
        assert [one.get("/text").status_code for _ in range(20)] == [200] * 20


def test_bodies_over_the_limit_are_refused(host: RunningHost) -> None:
    url = httpx.URL(host.url)
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(b"POST /shop/size HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_large_body_arrives_whole(client: httpx.Client) -> None:
    assert client.post("/size", content=bytes(20_000_000)).json()["bytes"] == 20_000_000


def test_requests_in_flight_end_before_the_host(tmp_path: Path) -> None:
    host = RunningHost(APPS / "shop", tmp_path).ready()
    url = httpx.URL(host.url)
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(b"GET /shop/slow?seconds=0.5 HTTP/1.1\r\nHost: x\r\n\r\n")
        # Answered in order on one connection, so the slow one is under way when another one's answer is here.
        assert httpx.get(f"{host.url}/shop/text").status_code == 200
        assert host.stop() == 0
        assert b'"done"' in connection.recv(1000)

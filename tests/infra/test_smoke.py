"""`make smoke` against the local stack: it sees that Floe works, and that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from scripts.smoke import Deployment, SmokeFailure, main, run
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack


class Meddling(httpx.BaseTransport):
    """Passes requests on to a stack, and changes the events in the answers."""

    def __init__(self, change: str) -> None:
        self._inner = httpx.HTTPTransport()
        self._change = change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        answer.read()
        if request.url.path != "/api/events" or request.method != "GET" or answer.status_code != 200:
            return answer
        events = answer.json()["events"]
        return httpx.Response(200, json={"events": self._changed(events)})

    def _changed(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        match self._change:
            case "lost":
                return events[1:]
            case "doubled":
                return [*events, *events[:1]]
        return [{**event, "data": {**event["data"], "value": -1}} for event in events]

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def keys(stack: RunningStack) -> Iterator[httpx.Client]:
    """The stack's API, as its administrator."""
    headers = {"Authorization": f"Bearer {stack.info['api_key']}"}
    with httpx.Client(base_url=stack.info["http_url"], headers=headers) as client:
        yield client


def smoke_keys(client: httpx.Client) -> list[dict[str, Any]]:
    """The keys that smoke runs have made."""
    listed = client.get("/keys?per_page=1000").raise_for_status().json()
    return [key for key in listed["items"] if key["name"] == "floe-smoke"]


def test_a_deployment_that_works(
    stack: RunningStack, keys: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {key["id"] for key in smoke_keys(keys)}
    code = main(["--url", stack.info["http_url"], "--key", stack.info["api_key"], "--within", "30"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "sent 21 events" in said.out
    assert said.out.count("each once and unchanged") == 2
    made = [key for key in smoke_keys(keys) if key["id"] not in before]
    assert [key["status"] for key in made] == ["revoked"]
    assert stack.info["api_key"] not in said.out + said.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("lost", "it is still not so that every event can be queried"),
        ("doubled", "came back more than once"),
        ("changed", "came back changed"),
    ],
)
def test_a_deployment_that_does_not(stack: RunningStack, keys: httpx.Client, change: str, says: str) -> None:
    with httpx.Client(base_url=stack.info["http_url"], transport=Meddling(change), timeout=30) as client:
        within = 2 if change == "lost" else 20
        with pytest.raises(SmokeFailure, match=says):
            run(Deployment(client, within), stack.info["api_key"], lambda _: None)
    assert {key["status"] for key in smoke_keys(keys)} == {"revoked"}


def test_a_key_that_may_not_make_keys_is_said_so(stack: RunningStack, keys: httpx.Client) -> None:
    made = keys.post("/keys", json={"name": "reader", "scopes": ["events:read"]}).raise_for_status().json()
    with (
        httpx.Client(base_url=stack.info["http_url"]) as client,
        pytest.raises(SmokeFailure, match="403 instead of 201, request id"),
    ):
        run(Deployment(client, 5), made["key"], lambda _: None)
    keys.delete(f"/keys/{made['id']}").raise_for_status()


def test_plain_http_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--url", "http://floe.example.com", "--key", "floe_x"])
    assert "https" in capsys.readouterr().err

"""The app through Microsoft's worker library: it indexes every function, requests go in, answers come out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from functions._http.catalogue import CATALOGUE
from tests.architecture.imports import ROOT
from tests.http.conftest import KEY, SETTINGS

REQUESTS: dict[str, dict[str, Any]] = {
    "openapi": {"function": "get_openapi"},
    "head": {"function": "get_openapi", "method": "HEAD", "headers": {"x-request-id": "mine-1"}},
    "lost": {"function": "fallback", "url": "http://127.0.0.1/api/v1/lost?x=1", "method": "PATCH"},
    "not allowed": {"function": "fallback", "url": "http://127.0.0.1/health", "method": "DELETE"},
    "docs file": {"function": "get_docs_file", "route": {"file": "..%2fx"}},
    "key": {"function": "get_openapi", "headers": {"authorization": f"Bearer {KEY}"}},
}


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.http.through_worker"],
        input=json.dumps(list(REQUESTS.values())),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "FLOE_AUTH": "required", **SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def answers(outcome: dict[str, Any]) -> dict[str, Any]:
    return dict(zip(REQUESTS, outcome["answers"], strict=True))


def test_every_operation_is_indexed_as_declared(outcome: dict[str, Any]) -> None:
    for one in CATALOGUE:
        trigger = outcome["functions"][one.name]
        assert trigger["type"] == "httpTrigger"
        assert (trigger["route"], trigger["authLevel"]) == (one.route.registered, "ANONYMOUS")
        assert tuple(trigger.get("methods") or ()) == one.methods


def test_the_last_route_takes_every_method(outcome: dict[str, Any]) -> None:
    assert not outcome["functions"]["fallback"].get("methods")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("openapi", "200"),
        ("head", "200"),
        ("lost", "404"),
        ("not allowed", "405"),
        ("docs file", "400"),
        ("key", "200"),
    ],
)
def test_answers(name: str, status: str, answers: dict[str, Any]) -> None:
    answer = answers[name]
    assert answer.get("status") == status, answer
    assert answer["headers"]["X-Request-Id"] == (
        "mine-1" if name == "head" else answer["headers"]["X-Request-Id"]
    )
    assert answer["headers"]["content-type"] == "application/json"
    json.loads(answer["body"])


def test_headers_survive_the_worker(answers: dict[str, Any]) -> None:
    assert answers["not allowed"]["headers"]["Allow"] == "GET, HEAD"
    assert answers["lost"]["headers"]["X-Request-Id"] == json.loads(answers["lost"]["body"])["request_id"]

"""Every operation of the document, with generated requests, against a running stack: no answer but those that
the document describes, and none that is a server's error.

New operations are walked as soon as they stand in `docs/openapi.json`.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.architecture.imports import ROOT
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 6}
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
ENTRIES = {
    (method.upper(), path): entry
    for path, entries in DOCUMENT["paths"].items()
    for method, entry in entries.items()
}
# What made-up input cannot do: no generated name, token or id is one that exists.
NEEDS_WHAT_EXISTS = {"log_in", "log_in_enveloped", "refresh_tokens"}


WITH_INPUT = [
    place
    for place, entry in ENTRIES.items()
    if "requestBody" in entry or any(one["in"] != "header" for one in entry.get("parameters", ()))
]
# What the host's own server refuses before a function hears of it, in no family's form: see docs/security.md.
BEFORE_THE_APP = {414, 431}


def loaded(document: dict[str, Any], stack: RunningStack) -> Any:
    """`document` as schemathesis reads it, for requests to `stack`."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=stack.info["http_url"])
    return schema


@pytest.fixture(scope="module")
def schema(stack: RunningStack) -> Any:
    """The document as the stack serves it."""
    return loaded(httpx.get(stack.info["http_url"] + "/openapi.json").json(), stack)


@pytest.fixture(scope="module")
def session() -> Any:
    """One connection for all requests."""
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def user(stack: RunningStack) -> dict[str, str]:
    """A registered user's name and password."""
    name = f"walker-{secrets.token_hex(4)}"
    given = {"username": name, "password": secrets.token_hex(16), "email": f"{name}@example.com"}
    made = httpx.post(
        stack.info["http_url"] + "/users/register", json=given, headers={"X-API-Key": stack.info["api_key"]}
    )
    assert made.status_code == 201, made.text
    return {"username": name, "password": given["password"]}


@pytest.fixture
def callers(stack: RunningStack, user: dict[str, str]) -> list[dict[str, str]]:
    """The headers of an administrator, mostly, of a user who has just logged in, and of nobody."""
    tokens = httpx.post(stack.info["http_url"] + "/auth/login", json=user).json()
    administrator = {"X-API-Key": stack.info["api_key"]}
    return [administrator] * 4 + [{"Authorization": f"Bearer {tokens['access_token']}"}, {}]


class Walk:
    """Requests of one operation, each checked against the document, and what they were answered with."""

    def __init__(self, operation: Any, session: requests.Session) -> None:
        self.operation = operation
        self.seen: Counter[int] = Counter()
        self.made_keys: list[str] = []
        self._session = session

    def send(self, case: Any, headers: dict[str, str]) -> None:
        """Send one case as who `headers` are; without any, the made-up credentials of the case go along."""
        for name in headers and ("Authorization", "X-API-Key"):
            case.headers.pop(name, None)
        answer = case.call(session=self._session, headers=headers, timeout=20)
        if answer.status_code not in BEFORE_THE_APP or answer.headers.get("X-Request-Id"):
            case.validate_response(answer, checks=CHECKS)
        self.seen[answer.status_code] += 1
        if answer.status_code == 201 and case.path.endswith("/keys"):
            self.made_keys.append(answer.json()["id"])

    def send_generated(self, mode: GenerationMode, callers: list[dict[str, str]]) -> None:
        """Send as many cases as `EXAMPLES` says, always the same ones."""
        settled = settings(
            max_examples=EXAMPLES[mode],
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        cases = self.operation.as_strategy(generation_mode=mode)
        settled(given(case=cases, headers=st.sampled_from(callers))(self.send))()

    def send_examples(self, headers: dict[str, str]) -> None:
        """Send the bodies that the document shows, about things that do not exist."""
        parameters = self.operation.definition.raw.get("parameters", ())
        place = {one["name"]: "none-such" for one in parameters if one["in"] == "path"}
        for media_type, content in (
            self.operation.definition.raw.get("requestBody", {}).get("content", {}).items()
        ):
            for example in content.get("examples", {}).values():
                case = self.operation.Case(
                    path_parameters=place, body=example["value"], media_type=media_type
                )
                self.send(case, headers)


@pytest.fixture
def walk(
    method: str, path: str, schema: Any, session: requests.Session, stack: RunningStack
) -> Iterator[Walk]:
    """A walk of one operation; the API keys that it makes are revoked afterwards."""
    walk = Walk(schema[path][method], session)
    yield walk
    for one in walk.made_keys:
        session.delete(f"{stack.info['http_url']}/keys/{one}", headers={"X-API-Key": stack.info["api_key"]})


@pytest.mark.parametrize(("method", "path"), ENTRIES, ids=lambda one: one.strip("/"))
def test_documented_input_gets_documented_answers(
    method: str, path: str, walk: Walk, callers: list[dict[str, str]]
) -> None:
    walk.send_examples(callers[0])
    walk.send_generated(GenerationMode.POSITIVE, callers)
    if "{" not in path and ENTRIES[method, path]["operationId"] not in NEEDS_WHAT_EXISTS:
        # The cases are always the same, so what they make may be there already.
        assert any(status < 300 or status == 409 for status in walk.seen), (
            f"nothing succeeded: {dict(walk.seen)}"
        )


@pytest.mark.parametrize(("method", "path"), WITH_INPUT, ids=lambda one: one.strip("/"))
def test_other_input_gets_documented_answers(
    method: str, path: str, walk: Walk, callers: list[dict[str, str]]
) -> None:
    walk.send_generated(GenerationMode.NEGATIVE, callers)
    assert any(status >= 400 for status in walk.seen), f"nothing was refused: {dict(walk.seen)}"


@pytest.mark.parametrize(
    "responses",
    [
        {"204": {"description": "Nothing"}},
        {"200": {"description": "A page", "content": {"text/html": {}}}},
        {"200": {"description": "A list", "content": {"application/json": {"schema": {"type": "array"}}}}},
        {"200": {"description": "More", "headers": {"X-Missing": {"required": True, "schema": {}}}}},
    ],
    ids=["status", "content type", "schema", "headers"],
)
def test_an_answer_that_is_not_documented_is_noticed(
    responses: dict[str, Any], stack: RunningStack, session: requests.Session
) -> None:
    changed = DOCUMENT | {"paths": {"/openapi.json": {"get": {"responses": responses}}}}
    with pytest.raises(FailureGroup):
        Walk(loaded(changed, stack)["/openapi.json"]["GET"], session).send_generated(
            GenerationMode.POSITIVE, [{}]
        )

"""Two instances of the app, each behind Microsoft's worker library, on one storage account."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from devstack.provision import make_tables
from scripts.create_key import main as create_key
from shared.platform.settings import Settings
from shared.platform.state_tables import STATE_TABLES
from tests.architecture.imports import ROOT
from tests.http.conftest import KEY, SETTINGS

PASSWORD = "correct horse battery"

# The worker resolves these from the environment.
SCHEDULES = {
    f"FLOE_{name.upper()}": str(field.default)
    for name, field in Settings.model_fields.items()
    if name.endswith("_schedule")
}


class Running:
    """An instance; `ask` sends it one request."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.identity.through_worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def ask(
        self, function: str, body: Any = None, *, token: str | None = None, **request: Any
    ) -> tuple[int, Any]:
        """The status and the decoded body."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        sent = {"function": function, "method": "GET" if body is None else "POST", "headers": headers}
        data = "" if body is None else json.dumps(body)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(sent | request | {"body": data}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self._line())
        return int(answer["status"]), json.loads(answer["body"])

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not line:
            assert self.process.stderr is not None
            pytest.fail(self.process.stderr.read())
        return line

    def stop(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def instances(storage_connection_string: str) -> Iterator[list[Running]]:
    make_tables(storage_connection_string, STATE_TABLES)
    environment = {
        "PATH": os.environ["PATH"],
        "FLOE_AUTH": "required",
        "FLOE_REGISTRATION": "open",
        "FLOE_STORAGE_CONNECTION_STRING": storage_connection_string,
        **SCHEDULES,
        **{name: value for name, value in SETTINGS.items() if name != "FLOE_STORAGE_ACCOUNT"},
    }
    with ExitStack() as stack:
        running = []
        for _ in range(2):
            running.append(Running(environment))
            stack.callback(running[-1].stop)
        yield running


def test_what_one_grants_the_other_honours(instances: list[Running]) -> None:
    one, other = instances
    name = f"ada-{secrets.token_hex(4)}"  # the run's tests share one storage account
    ada = {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "full_name": "Ada"}
    status, user = one.ask("register_user", ada)
    assert status == 201
    assert other.ask("register_account", ada)[0] == 409
    status, tokens = one.ask("log_in", {"username": name, "password": PASSWORD})
    assert (status, tokens["expires_in"]) == (200, 3600)
    assert other.ask("get_me", token=tokens["access_token"]) == (200, user)
    status, refreshed = other.ask("refresh_tokens", {"refresh_token": tokens["refresh_token"]})
    assert status == 200
    assert one.ask("get_me", token=refreshed["access_token"]) == (200, user)
    assert one.ask("list_keys", token=refreshed["access_token"])[0] == 403
    status, enveloped = other.ask(
        "log_in_enveloped",
        {"username": name, "password": PASSWORD},
        url="http://127.0.0.1/api/v1/auth/login",
    )
    assert (status, enveloped["success"]) == (200, True)
    assert one.ask("get_me", token=enveloped["data"]["access_token"])[0] == 200
    # A token that was used on one is used for the other too.
    assert one.ask("refresh_tokens", {"refresh_token": tokens["refresh_token"]})[0] == 401
    assert other.ask("refresh_tokens", {"refresh_token": refreshed["refresh_token"]})[0] == 401
    assert one.ask("get_me", token=refreshed["access_token"])[0] == 401


def test_a_key_that_one_made_and_revoked(instances: list[Running]) -> None:
    one, other = instances
    status, made = one.ask("create_admin_key", {"name": "x", "scopes": ["admin"]}, token=KEY)
    assert status == 201
    status, page = other.ask("list_admin_keys", token=made["key"])
    assert (status, made["id"] in {item["id"] for item in page["items"]}) == (200, True)
    assert one.ask("revoke_admin_key", method="DELETE", route={"id": made["id"]}, token=KEY)[0] == 200
    assert one.ask("list_keys", token=made["key"])[0] == 401
    # How soon the other one knows is a matter of time, which tests/identity/test_authentication.py moves.


def test_the_command_line_makes_the_first_key(
    instances: list[Running],
    storage_connection_string: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    described = {"storage_connection_string": storage_connection_string}
    (tmp_path / "stack.json").write_text(json.dumps(described))
    given = ["--name", "first", "--scopes", "admin,events:read", "--stack", str(tmp_path), "--days", "1"]
    assert create_key(given) == 0
    key = capsys.readouterr().out.strip()
    status, page = instances[1].ask("list_keys", token=key)
    assert status == 200
    first = next(item for item in page["items"] if key.startswith(item["prefix"]))
    assert (first["name"], first["scopes"]) == ("first", ["admin", "events:read"])
    assert first["plan"] == "enterprise"
    assert first["expires_at"] > first["created_at"]


@pytest.mark.parametrize(
    "given",
    [
        ["--name", "x", "--scopes", "everything", "--stack", "."],
        ["--name", "x", "--scopes", ",", "--stack", "."],
        ["--name", "x", "--scopes", "admin", "--days", "0", "--stack", "."],
        ["--name", "x", "--scopes", "admin"],
        ["--scopes", "admin"],
    ],
)
def test_what_the_command_line_refuses(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLOE_STORAGE_ACCOUNT", "FLOE_STORAGE_CONNECTION_STRING"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        create_key(given)

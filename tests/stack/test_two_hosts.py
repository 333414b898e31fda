"""Two hosts on one storage and one broker are one Floe: what one grants, counts and revokes, the other knows.

The hosts run as deployed ones do (`FLOE_AUTH=required`, documented limits), beside the stack's own.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from shared.identity.revocations import DELAY_SECONDS
from shared.identity.scopes import SCOPES
from tests.stack.pair import Deployed, deployed_pair, total
from tests.stack.running import PROJECT, RunningStack

pytestmark = pytest.mark.stack

Pair = tuple[Deployed, Deployed]

DOCUMENT = json.loads((PROJECT / "docs/openapi.json").read_text())
OPERATIONS = [
    (method.upper(), path, entry["operationId"], re.search("Needs the scope `(.+?)`", entry["description"]))
    for path, entries in DOCUMENT["paths"].items()
    for method, entry in entries.items()
]
# Open in every mode, as docs/security.md says; registering is closed by a setting.
PAGES = {"get_docs", "get_dashboard"}
OPEN = PAGES | {"get_health", "get_info", "get_openapi", "log_in", "log_in_enveloped", "refresh_tokens"}
# What local mode opens: sensor cold storage and events, with Floe's own operations beside them.
LOCAL = re.compile("/(storage|upload|cleanup|azure|dead-letters|api(?!/v1)|metrics$)").match
REGISTERING = {"register_user", "register_account"}

# docs/limits.md: batches a minute of one client; a hundredth more for each host; what a host may hold unused.
LIMIT, UNASKED, HELD = 100, 1, 7
EVENTS = 3
REQUESTS, MESSAGES = "floe_http_requests_total", "floe_produced_messages_total"


@pytest.fixture(scope="module")
def pair(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two hosts; the last test of the module kills the second."""
    folder = tmp_path_factory.mktemp("stack-pair") / "logs"
    folder.mkdir()
    with deployed_pair(stack, folder) as hosts:
        yield hosts


def new_user() -> dict[str, str]:
    """A registration that would succeed."""
    name = f"two-{secrets.token_hex(6)}"
    return {"username": name, "password": secrets.token_hex(16), "email": f"{name}@example.com"}


def register(host: Deployed) -> dict[str, str]:
    """A new user's credentials."""
    user = new_user()
    assert host.ask("POST", "/auth/register", host.administrator, json=user).status_code == 201
    return {name: user[name] for name in ("username", "password")}


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    """The header of an access token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def refused_soon(stack: RunningStack, host: Deployed, path: str, headers: dict[str, str]) -> None:
    """Waits until `host` refuses these credentials, as long as the documentation says and a request takes."""
    stack.wait_until(
        lambda: host.ask("GET", path, headers).status_code == 401, DELAY_SECONDS + 5, "a refusal"
    )


def test_a_login_on_one_is_good_on_the_other_until_it_ends_on_either(stack: RunningStack, pair: Pair) -> None:
    one, other = pair
    ada, grace = register(one), register(other)
    tokens = one.ask("POST", "/auth/login", json=ada).json()
    mine = other.ask("GET", "/users/me", bearer(tokens))
    assert (mine.status_code, mine.json()["username"]) == (200, ada["username"])
    refreshed = other.ask("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    assert one.ask("GET", "/users/me", bearer(refreshed)).json() == mine.json()

    graces = one.ask("POST", "/auth/login", json=grace).json()
    assert one.ask("POST", "/auth/logout", bearer(refreshed)).status_code == 200
    assert one.ask("GET", "/users/me", bearer(refreshed)).status_code == 401
    refused_soon(stack, other, "/users/me", bearer(refreshed))
    again = {"refresh_token": refreshed["refresh_token"]}
    assert other.ask("POST", "/auth/refresh", json=again).status_code == 401
    # Nobody else is logged out by that.
    for host in pair:
        assert host.ask("GET", "/users/me", bearer(graces)).json()["username"] == grace["username"]


def test_a_key_revoked_on_one_is_dead_on_the_other(stack: RunningStack, pair: Pair) -> None:
    one, other = pair
    made = one.make_key("events:read")
    key = {"Authorization": f"Bearer {made['key']}"}
    for host in pair:
        assert host.ask("GET", "/api/events", key).status_code == 200
    assert one.ask("DELETE", f"/keys/{made['id']}", one.administrator).status_code == 200
    assert one.ask("GET", "/api/events", key).status_code == 401
    refused_soon(stack, other, "/api/events", key)


def test_nobody_reads_or_changes_what_is_anothers(pair: Pair) -> None:
    one, other = pair
    ada, grace = register(one), register(one)
    adas, graces = (bearer(one.ask("POST", "/auth/login", json=login).json()) for login in (ada, grace))
    before = one.ask("GET", "/users/me", adas).json()
    claim = {"id": before["id"], "username": ada["username"], "account": before["id"], "full_name": "Grace"}
    changed = other.ask("PUT", "/users/me", graces, json=claim)
    assert (changed.status_code, changed.json()["username"]) == (200, grace["username"])
    taken = other.ask("PUT", "/users/me", graces, json={"email": before["email"]})
    assert taken.status_code == 409
    assert other.ask("GET", "/users/me", adas).json() == before
    # What is made up of one user's answer is no answer to another.
    for method, path in (
        ("GET", "/keys"),
        ("POST", "/keys"),
        ("DELETE", "/keys/x"),
        ("GET", "/storage/jobs"),
    ):
        assert other.ask(method, path, graces).status_code == 403, path
    key = {"X-API-Key": one.make_key("profile:read", account=before["id"])["key"]}
    assert other.ask("GET", "/users/me", key).json() == before
    assert other.ask("PUT", "/users/me", key, json={"full_name": "X"}).status_code == 403


@pytest.fixture(scope="module")
def keys_without(pair: Pair) -> dict[str, dict[str, str]]:
    """For each scope, the header of a key that has all scopes but that one."""
    return {
        scope: {"X-API-Key": pair[0].make_key(*(SCOPES.keys() - {scope}), plan="enterprise")["key"]}
        for scope in SCOPES
    }


def test_every_operation_is_closed_to_nobody_and_to_the_wrong_scope(
    pair: Pair, keys_without: dict[str, dict[str, str]]
) -> None:
    _, other = pair
    assert {name for _, _, name, scope in OPERATIONS if scope is None} == OPEN | REGISTERING
    wrong_key = {"X-API-Key": f"floe_{'0' * 16}_{'x' * 43}"}
    seen = {}
    for method, path, name, scope in OPERATIONS:
        without_scope = keys_without[scope[1] if scope else "admin"]
        # Who may register is looked at after what is registered.
        body = {"json": new_user()} if name in REGISTERING else {}
        where = re.sub(r"\{.+?\}", "x", path)
        seen[name] = tuple(
            other.ask(method, where, headers, **body).status_code
            for headers in (None, wrong_key, without_scope)
        )
    assert {name for name, answers in seen.items() if answers != (401, 401, 403)} == OPEN
    assert not [name for name in OPEN if seen[name][0] in (401, 403) or seen[name][0] >= 500]


def test_local_mode_leaves_closed_what_belongs_to_somebody(stack: RunningStack) -> None:
    # Those that would do something without any input, here to other tests' data.
    asked = [
        one for one in OPERATIONS if one[2] not in {"flush_storage", "trigger_upload", "trigger_cleanup"}
    ]
    closed = set()
    with httpx.Client(base_url=stack.info["http_url"], timeout=30) as client:
        for method, path, name, _ in asked:
            answer = client.request(method, re.sub(r"\{.+?\}", "x", path), content=b"{")
            assert answer.status_code < 500, (name, answer.text)
            closed |= {name} if answer.status_code == 401 else set()
    assert closed == {
        name for _, path, name, _ in asked if name not in OPEN | REGISTERING and not LOCAL(path)
    }


class Batches:
    """What became of batches that both hosts were sent until each had refused one."""

    def __init__(self, pair: Pair, key: str) -> None:
        self.mark = secrets.token_hex(6)
        self.taken: list[str] = []
        self.windows: Counter[str] = Counter()
        with ThreadPoolExecutor(2) as threads:
            self.refused = sum(threads.map(lambda host: self._send(host, key), pair))

    def _send(self, host: Deployed, key: str) -> int:
        """Sends until a refusal; 1."""
        while True:
            ids, answer = send_batch(host, key, self.mark)
            if answer.status_code == 429:
                assert int(answer.headers["Retry-After"]) <= 60
                return 1
            assert answer.status_code == 200, answer.text
            self.taken += ids
            self.windows[answer.headers["X-RateLimit-Reset"]] += 1


def send_batch(host: Deployed, key: str, mark: str, count: int = EVENTS) -> tuple[list[str], httpx.Response]:
    """Sends some events, of users of their own, as one batch; their ids and the answer."""
    ids = [f"{mark}-{secrets.token_hex(8)}" for _ in range(count)]
    events = [{"event_id": one, "event_type": "error", "data": {"user_id": one}} for one in ids]
    return ids, host.ask("POST", "/api/events/batch", {"X-API-Key": key}, json=events)


def found(host: Deployed, mark: str) -> list[str]:
    """The ids of all events with this mark, in order, each as often as a query gives it."""
    query = {"event_type": "error", "limit": "1000"}
    answer = host.ask("GET", "/api/events", host.administrator, params=query)
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    return sorted(one["event_id"] for one in events if one["event_id"].startswith(mark))


def figures(pair: Pair, stack: RunningStack) -> list[Counter[str]]:
    """Batches by how they were answered, and messages produced, as each of the three hosts tells."""
    one, other = pair
    with httpx.Client(base_url=stack.info["http_url"], timeout=30) as third:
        asked = [(one.client, one.administrator), (other.client, other.administrator), (third, {})]
        for client, headers in asked:
            # Who is asked writes what it counted; by itself it does so every fifteen seconds.
            total(client, REQUESTS, headers)
        return [_figures(client, headers) for client, headers in asked]


def _figures(client: httpx.Client, headers: dict[str, str]) -> Counter[str]:
    told: Counter[str] = Counter()
    for status in ("2xx", "4xx", "5xx"):
        told[status] = int(total(client, REQUESTS, headers, operation="create_events", status=status))
    told["messages"] = int(total(client, MESSAGES, headers, topic="events.error"))
    return told


def landed(stack: RunningStack, host: Deployed) -> int:
    """Messages with errors that were landed, as `/health` of `host` counts them once it knows."""

    def by_topic() -> dict[str, int] | None:
        kafka: dict[str, Any] = host.client.get("/health").json()["components"]["kafka"]
        told: dict[str, int] | None = kafka["metrics"]["messages_by_topic"]
        return told

    told = stack.wait_until(by_topic, what="figures")
    assert told is not None
    return told["events.error"]


def test_limits_and_totals_are_those_of_both(stack: RunningStack, pair: Pair) -> None:
    one, other = pair
    key = one.make_key("events:write")["key"]
    (before, *alike), landed_before = figures(pair, stack), landed(stack, one)
    assert alike == [before, before]
    batches = Batches(pair, key)

    fullest = max(batches.windows.values())
    # Where storage did not answer in time, each host counted for itself, as documented.
    alone = one.counts_alone or other.counts_alone
    assert LIMIT - 2 * HELD <= fullest <= (2 * LIMIT if alone else LIMIT + 2 * UNASKED), batches.windows

    after, *alike = figures(pair, stack)
    assert alike == [after, after]
    assert after["2xx"] - before["2xx"] == len(batches.taken) // EVENTS
    assert after["4xx"] - before["4xx"] == batches.refused
    messages = after["messages"] - before["messages"]
    for host in pair:

        def all_are_there(host: Deployed = host) -> bool:
            counted = landed(stack, host) - landed_before
            return counted == messages and found(host, batches.mark) == sorted(batches.taken)

        stack.wait_until(all_are_there, 45, "every event, once")


def test_what_a_killed_host_had_written_stays(stack: RunningStack, pair: Pair) -> None:
    one, other = pair
    key, mark = one.make_key("events:write")["key"], secrets.token_hex(6)
    taken = []
    for host in (other, one, other):
        ids, answer = send_batch(host, key, mark)
        assert answer.status_code == 200, answer.text
        taken += ids
    one.counted(REQUESTS)  # whoever is asked writes what it counted
    written = other.counted(REQUESTS, operation="create_events", status="2xx")
    other.host.kill()
    assert one.counted(REQUESTS, operation="create_events", status="2xx") == written
    ids, answer = send_batch(one, key, mark, 20)  # enough for all partitions
    assert answer.status_code == 200, answer.text
    taken += ids
    assert one.counted(REQUESTS, operation="create_events", status="2xx") == written + 1
    # Its partitions fall to the others; what it had landed and not noted comes again, and is taken once.
    stack.wait_until(lambda: found(one, mark) == sorted(taken), 45, "all, once")

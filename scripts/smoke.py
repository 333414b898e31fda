"""Tries a deployment: sends events, waits for them, reads them back, compares, and cleans up.

    python -m scripts.smoke --url https://func-floe-….azurewebsites.net --key floe_…

The key carries `admin`, `events:read`, `events:write` and `storage:write`, or `*`: with it a key for this run
alone is made, used, and revoked at the end, whatever happens. A handful of events stays, for Floe has no
operation that removes single events; they are of the type `system_metric` and their source is `floe-smoke`.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

_SCOPES = ["events:read", "events:write", "storage:write"]
_TYPE = "system_metric"
_SOURCE = "floe-smoke"
_BATCH = 20
# A revoked key is refused by every instance after five seconds.
_REVOKED_WITHIN = 15.0
_PAUSE = 1.0


class SmokeFailure(Exception):
    """The deployment does not do what it should; the message says what."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where Floe answers; `within` is how long, in seconds, an event may take to be seen."""

    client: httpx.Client
    within: float

    def ask(self, method: str, path: str, key: str | None, wanted: int = 200, **more: Any) -> httpx.Response:
        """The answer; raises SmokeFailure where it is another than `wanted`."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        try:
            answer = self.client.request(method, path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise SmokeFailure(f"{method} {path}: {error}") from error
        if answer.status_code != wanted:
            request = answer.headers.get("x-request-id", "none")
            raise SmokeFailure(
                f"{method} {path}: {answer.status_code} instead of {wanted}, request id {request}: "
                f"{answer.text[:300]}"
            )
        return answer


def run(deployment: Deployment, key: str, say: Callable[[str], None]) -> None:
    """Does it all; raises SmokeFailure."""
    health = deployment.ask("GET", "/health", None).json()
    say(f"{health['service']} {health['version']} is {health['status']}")
    with _key_of_its_own(deployment, key, say) as own:
        events = _events(f"smoke-{secrets.token_hex(6)}")
        started = time.monotonic()
        _send(deployment, own, events)
        say(f"sent {len(events)} events")
        _wait(deployment, own, events)
        took = time.monotonic() - started
        say(f"all can be queried, each once and unchanged, {took:.1f} s after sending began")
        flushed = deployment.ask("POST", "/storage/flush", own).json()
        say(f"flushed {flushed['files_flushed']} files")
        _wait(deployment, own, events)
        say("all are still there, each once and unchanged")


@contextmanager
def _key_of_its_own(deployment: Deployment, key: str, say: Callable[[str], None]) -> Iterator[str]:
    """A key for this run, which is revoked and refused afterwards."""
    ends = datetime.now(UTC) + timedelta(hours=1)
    wanted = {"name": _SOURCE, "scopes": _SCOPES, "expires_at": ends.isoformat()}
    made = deployment.ask("POST", "/keys", key, 201, json=wanted).json()
    try:
        yield made["key"]
    except BaseException:
        with suppress(SmokeFailure):  # the first failure is the one to tell
            _revoke(deployment, key, made)
        raise
    _revoke(deployment, key, made)
    say("the key of this run is revoked and refused")


def _revoke(deployment: Deployment, key: str, made: dict[str, Any]) -> None:
    deployment.ask("DELETE", f"/keys/{made['id']}", key)
    _until(_REVOKED_WITHIN, "the revoked key is refused", lambda: _refused(deployment, made["key"]))


def _refused(deployment: Deployment, key: str) -> bool:
    # Closed in every mode: the local stack leaves events open.
    answer = deployment.client.get("/users/me", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code == 401


def _events(run: str) -> list[dict[str, Any]]:
    """Events that nobody else sends, with text, numbers and nesting in them."""
    return [
        {
            "event_id": f"{run}-{number}",
            "event_type": _TYPE,
            "data": {
                "run": run,
                "number": number,
                "value": number / 8,
                "text": "ä→\u2603",
                "deep": [{"x": None}],
            },
            "metadata": {"source": _SOURCE},
        }
        for number in range(_BATCH + 1)
    ]


def _send(deployment: Deployment, key: str, events: Sequence[dict[str, Any]]) -> None:
    """One alone, the others as a batch."""
    one, *others = events
    accepted = deployment.ask("POST", "/api/events", key, json=one).json()
    if accepted["event_id"] != one["event_id"]:
        raise SmokeFailure(f"the event {one['event_id']} was taken as {accepted['event_id']}")
    batch = deployment.ask("POST", "/api/events/batch", key, json=others).json()
    if batch["count"] != len(others):
        raise SmokeFailure(f"{batch['count']} of {len(others)} events of the batch were taken")


def _wait(deployment: Deployment, key: str, events: Sequence[dict[str, Any]]) -> None:
    """Returns when every event is found once and as it was sent; raises SmokeFailure."""
    since = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    wanted = {event["event_id"]: event["data"] for event in events}
    query = {"event_type": _TYPE, "start_time": since, "limit": "1000"}

    def complete() -> bool:
        page = deployment.ask("GET", "/api/events", key, params=query).json()["events"]
        found = [event for event in page if event["event_id"] in wanted]
        different = [event["event_id"] for event in found if event["data"] != wanted[event["event_id"]]]
        if different:
            raise SmokeFailure(f"came back changed: {', '.join(different)}")
        if len(found) > len(wanted):
            raise SmokeFailure(f"{len(found) - len(wanted)} events came back more than once")
        return len(found) == len(wanted)

    _until(deployment.within, "every event can be queried", complete)


def _until(within: float, what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise SmokeFailure(f"after {within:g} s it is still not so that {what}")
        time.sleep(_PAUSE)


def main(given: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.smoke", description="Try a deployment.")
    parser.add_argument("--url", required=True, help="where the HTTP API is")
    parser.add_argument("--key", required=True, help="an API key that may make keys")
    parser.add_argument(
        "--within", type=float, default=120, help="seconds until events are seen; default: 120"
    )
    arguments = parser.parse_args(given)
    if (
        not arguments.url.startswith(("https://", "http://127.0.0.1", "http://localhost"))
        or not arguments.key
    ):
        parser.error("--url is an https address, and --key an API key: make smoke URL=https://… KEY=floe_…")
    # The first request after a pause waits for an instance to start.
    with httpx.Client(base_url=arguments.url.rstrip("/"), timeout=90) as client:
        try:
            run(Deployment(client, arguments.within), arguments.key, print)
        except SmokeFailure as failure:
            print(f"failed: {failure}", file=sys.stderr)
            return 1
    print("the deployment works")
    return 0


if __name__ == "__main__":
    sys.exit(main())

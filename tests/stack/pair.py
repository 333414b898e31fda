"""Two more hosts on a running stack's storage and broker, with the access and the limits of a deployment."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from devstack.function_app import HIGH_LIMITS
from tests.host.running import RunningHost
from tests.stack.running import PROJECT, RunningStack

# What the stack sets for development only; without them the defaults of a deployment hold.
_LOCAL = {"FLOE_AUTH", "FLOE_REGISTRATION", "FLOE_HOME", "FLOE_PORT", *HIGH_LIMITS}


class Deployed:
    """A host and a client of it; `administrator` is the header of the administrator's key."""

    def __init__(self, host: RunningHost, stack: RunningStack) -> None:
        self.host = host
        self.client = httpx.Client(base_url=host.url, timeout=30)
        self.administrator = {"X-API-Key": str(stack.info["api_key"])}

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
        """The answer, to somebody at an address of their own."""
        came_from = {"X-Forwarded-For": f"2001:db8:{secrets.randbelow(1 << 16):x}::1"}
        return self.client.request(method, path, headers=came_from | (headers or {}), **request)

    def make_key(self, *scopes: str, **wanted: str) -> dict[str, Any]:
        """A new API key, as `POST /keys` answers."""
        body = {"name": "of a test", "scopes": scopes, **wanted}
        made = self.ask("POST", "/keys", self.administrator, json=body)
        assert made.status_code == 201, made.text
        return dict(made.json())

    def counted(self, metric: str, **labels: str) -> float:
        """The sum of the metric's series with these labels, as `/metrics` tells it to Prometheus."""
        return total(self.client, metric, self.administrator, **labels)

    @property
    def counts_alone(self) -> bool:
        """Whether storage was ever so slow that requests were not counted together with other hosts."""
        return "rate limits are counted by each instance alone" in self.host.log


def total(client: httpx.Client, metric: str, headers: dict[str, str] | None = None, **labels: str) -> float:
    """The sum of a metric's series with these labels."""
    answer = client.get("/metrics", headers={"Accept": "text/plain", **(headers or {})})
    assert answer.status_code == 200, answer.text
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == metric and sample.labels | labels == sample.labels
    )


@contextmanager
def deployed_pair(stack: RunningStack, folder: Path) -> Iterator[tuple[Deployed, Deployed]]:
    """Two hosts of the stack's own app; their logs go to `folder`."""
    environment = dict(
        entry.split("=", 1) for entry in (stack.proc("host") / "environ").read_text().split("\0") if entry
    )
    settings = {name: value for name, value in environment.items() if name not in _LOCAL}
    start = partial(RunningHost, PROJECT, folder, stack.info["kafka_bootstrap"], 0, **settings)
    with ExitStack() as ending, ThreadPoolExecutor(2) as threads:
        hosts = [start(), start()]
        for host in hosts:
            ending.callback(_end, host)
        one, other = (Deployed(host, stack) for host in threads.map(RunningHost.ready, hosts))
        ending.callback(one.client.close)
        ending.callback(other.client.close)
        yield one, other


def _end(host: RunningHost) -> None:
    if host.process.poll() is None:
        host.stop()
    elif host.process.stdout is not None:
        host.process.stdout.close()

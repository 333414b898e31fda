"""Hosts that end with the test that started them."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.running import RunningHost


@pytest.fixture
def unique() -> str:
    """A name that nothing else has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[Callable[..., RunningHost]]:
    """Starts hosts: `start_host(app, kafka, NAME="value")`; does not wait until they are ready."""
    hosts: list[RunningHost] = []

    def start(app: Path, kafka: str = "127.0.0.1:1", port: int = 0, **settings: str) -> RunningHost:
        hosts.append(RunningHost(app, tmp_path, kafka, port, **settings))
        return hosts[-1]

    yield start
    for host in hosts:
        if host.process.poll() is None:
            host.kill()
        elif host.process.stdout is not None:
            host.process.stdout.close()

"""The real things that tests may ask for.

`kafka_bootstrap`            a broker, as `host:port`
`storage_connection_string`  a storage account (Azurite)
`stack`                      a whole running stack, see `tests/stack/running.py`
`start_stack`                starts further stacks: `start_stack(FLOE_BROKER="mock")`

The first two are started when first asked for, once for the whole run (also under `pytest -n`), and shared:
use topics, containers and tables with names of your own. Everything ends with the run, however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import leaks, spread
from tests.stack.running import RunningStack
from tests.stack.shared_services import address_of, end_services

# How long an example takes says nothing on a shared machine.
settings.register_profile(
    "floe", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("floe")


def pytest_configure(config: pytest.Config) -> None:
    """No log of the run may hold a secret; what uses the stack runs on one worker."""
    config.pluginmanager.register(leaks, "leaks")
    config.pluginmanager.register(spread, "spread")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def shared_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if _is_worker(request.config) else base


@pytest.fixture(scope="session")
def run_pid(request: pytest.FixtureRequest) -> int:
    """The process whose end is the end of the run: pytest itself, or its controller under xdist."""
    return os.getppid() if _is_worker(request.config) else os.getpid()


@pytest.fixture(scope="session")
def kafka_bootstrap(shared_home: Path, run_pid: int) -> str:
    """`host:port` of the run's broker."""
    return address_of("kafka", shared_home, run_pid)


@pytest.fixture(scope="session")
def storage_connection_string(shared_home: Path, run_pid: int) -> str:
    """Connection string of the run's storage account."""
    return address_of("azurite", shared_home, run_pid)


@contextmanager
def _stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningStack]]:
    started: list[RunningStack] = []

    def start(**settings: str) -> RunningStack:
        stack = RunningStack(tmp_path_factory.mktemp("stack"), settings)
        started.append(stack)
        return stack.start()

    try:
        yield start
    finally:
        for stack in started:
            stack.stop()


@pytest.fixture(scope="module")
def start_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningStack]]:
    """Starts a stack with the given settings and waits until it is ready; ends it after the module."""
    with _stacks(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One whole stack, shared by the session's tests."""
    with _stacks(tmp_path_factory) as start:
        # Generated requests ask for as many simulated events as they may have.
        yield start(FLOE_SIMULATE_MAX_EVENTS="20000")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Ends what the fixtures started, once all workers are done."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if not _is_worker(session.config) and factory is not None:
        end_services(factory.getbasetemp())

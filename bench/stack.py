"""The stack that is measured: the local stack's own parts, in a folder of their own and on free ports."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from devstack.azurite import Azurite
from devstack.broker import OwnBroker, choose_broker
from devstack.children import Child, Service
from devstack.function_app import FunctionApp, Wiring
from devstack.home import Home
from devstack.ports import free_port
from devstack.provision import make_containers, make_queues, make_tables
from devstack.tools import PROJECT
from shared.adapters.connection import StorageAccount
from shared.platform.state_tables import QUEUES, STATE_TABLES
from shared.streams import all_containers, all_topics

PARTITIONS = 4
_PATIENCE = 6.0
# Scans for anomalies are measured by themselves.
_NEVER = "0 0 0 1 1 *"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="floe-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _App(FunctionApp):
    """The function app with settings of a benchmark."""

    def __init__(self, wiring: Wiring, settings: Mapping[str, str]) -> None:
        super().__init__(PROJECT, free_port(), wiring)
        self._settings = settings

    def environment(self) -> dict[str, str]:
        """The stack's, then the benchmark's."""
        return {**super().environment(), **self._settings}


class Stack:
    """Storage and broker, running; and the host, which a benchmark starts and stops as it needs."""

    def __init__(self, folder: Path, flush_schedule: str, *, sent_to: bool = True) -> None:
        """Without `sent_to` nothing is sent: then any broker will do."""
        self._home = Home(folder)
        self._sent_to = sent_to
        self._flush_schedule = flush_schedule
        self._runner = asyncio.Runner()
        self._children: dict[str, Child] = {}
        self._azurite = Azurite(self._home, tuple(free_port() for _ in range(3)))
        self._broker: OwnBroker
        self._app: _App

    def __enter__(self) -> Self:
        choice: Literal["kafka", "mock"] = "kafka" if self._sent_to else "mock"
        self._broker, notes = choose_broker(choice, self._home, PARTITIONS, free_port())
        if notes and self._sent_to:
            raise RuntimeError(f"benchmarks need a durable broker: {' '.join(notes)}")
        try:
            self._runner.run(self._start_services())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _start_services(self) -> None:
        await asyncio.gather(self._start(self._azurite), self._start(self._broker))
        await asyncio.to_thread(make_containers, self.storage, all_containers())
        await asyncio.to_thread(make_tables, self.storage, STATE_TABLES)
        await asyncio.to_thread(make_queues, self.storage, QUEUES)
        await asyncio.to_thread(self._broker.make_topics, all_topics(), PARTITIONS)

    async def _start(self, service: Service) -> None:
        child = self._children[service.name] = Child(service, self._home)
        await child.start()
        await child.answered()

    def start_host(self, **settings: str) -> float:
        """Starts the host with further settings; returns the seconds until it served."""
        wiring = Wiring(self.storage, self.bootstrap, False, self._home.admin_key())
        schedules = {"FLOE_FLUSH_SCHEDULE": self._flush_schedule, "FLOE_SCAN_SCHEDULE": _NEVER}
        self._app = _App(wiring, schedules | settings)
        began = time.monotonic()
        self._runner.run(self._start(self._app))
        return time.monotonic() - began

    def stop_host(self) -> None:
        """Ends the host as a deployment would, work in flight included."""
        if child := self._children.pop("host", None):
            self._runner.run(child.stop(_PATIENCE))

    def close(self) -> None:
        """Ends everything that was started."""
        self.stop_host()
        for name in list(self._children):
            self._runner.run(self._children.pop(name).stop(_PATIENCE))
        self._runner.close()

    def log_of_host(self) -> str:
        """The end of what the host printed."""
        return (self._home.logs / "host.log").read_text()[-4000:]

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, of what runs."""
        return {name: child.pid for name, child in self._children.items() if child.pid is not None}

    @property
    def url(self) -> str:
        """The host's address."""
        return self._app.url

    @property
    def bootstrap(self) -> str:
        """The broker's address."""
        return self._broker.bootstrap

    @property
    def storage(self) -> str:
        """The storage's connection string."""
        return self._azurite.connection_string

    @property
    def account(self) -> StorageAccount:
        """The storage account."""
        return account_of(self.storage)


def account_of(connection_string: str) -> StorageAccount:
    """The account that a connection string names."""
    parts = dict(part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    return StorageAccount(parts["AccountName"], parts["BlobEndpoint"], parts["AccountKey"], connection_string)


class SupervisedStack:
    """A whole stack under its supervisor, as `make run` starts it."""

    def __init__(self, folder: Path, flush_schedule: str) -> None:
        self._folder = folder
        own = {"FLOE_HOME": str(folder), "FLOE_PORT": str(free_port()), "FLOE_FLUSH_SCHEDULE": flush_schedule}
        self._environment = {**os.environ, **own}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self._folder / "screen.txt").open("ab") as screen:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "devstack"],
                cwd=PROJECT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
            )
        deadline = time.monotonic() + 90
        while not (self._folder / "stack.json").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"no stack:\n{(self._folder / 'screen.txt').read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def info(self) -> dict[str, Any]:
        """stack.json as it is now."""
        found: dict[str, Any] = msgspec.json.decode((self._folder / "stack.json").read_bytes())
        return found

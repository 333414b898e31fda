"""The supervisor: brings the stack up in order, keeps it up, and takes it down in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from devstack.azurite import Azurite
from devstack.broker import Broker, choose_broker, find_broker
from devstack.children import Service, run_to_end, together
from devstack.function_app import FUNC_NOTE, FunctionApp, Wiring
from devstack.guard import Guard
from devstack.home import Home, StackError
from devstack.ports import require_free
from devstack.provision import make_containers, make_queues, make_tables
from devstack.screen import Screen
from devstack.settings import StackSettings
from devstack.stack_file import StackDescription
from shared.platform.state_tables import QUEUES, STATE_TABLES
from shared.streams import all_containers, all_topics

# From SIGTERM to the end takes ten seconds at most: the host has its share, Kafka and Azurite what is left.
STOP_PATIENCE, HOST_PATIENCE = 9.0, 6.0


class Supervisor:
    """One stack; `run` ends only by being cancelled or with a StackError, and everything has ended then."""

    def __init__(self, settings: StackSettings, home: Home, screen: Screen, keep_open: int) -> None:
        self.stopping = False
        self._settings = settings
        self._home = home
        self._screen = screen
        self._keep_open = keep_open
        self._guards: dict[str, Guard] = {}
        self._notes: list[str] = []
        self._azurite: Azurite
        self._broker: Broker
        self._app: FunctionApp

    async def run(self) -> None:
        """Runs the stack until it is cancelled."""
        self._home.stack_file.unlink(missing_ok=True)
        try:
            await self._start()
            await together(*(guard.keep() for guard in self._guards.values()))
        finally:
            self.stopping = True
            await self._stop()

    async def _start(self) -> None:
        require_free(self._settings.port)
        await _install_tools()
        await together(self._start_storage(), self._start_broker())
        await self._start_app()
        for note in self._notes:
            self._screen.about("note", note)
        self._screen.line(f"ready in {self._screen.seconds():.1f} s at {self._app.url}; Ctrl-C stops it")
        self._describe()

    async def _start_storage(self) -> None:
        self._azurite = Azurite(self._home)
        with self._screen.step("azurite") as step:
            await self._launch(self._azurite, self._make_storage, self._storage_ended)
            step.says = self._azurite.address
        with self._screen.step("containers") as step:
            await self._make_storage()
            step.says = (
                f"{len(all_containers())} in place, {len(STATE_TABLES)} tables and {len(QUEUES)} queues"
            )

    async def _start_broker(self) -> None:
        with self._screen.step("kafka") as step:
            await (self._find_broker(self._settings.kafka) if self._settings.kafka else self._launch_broker())
            step.says = f"{self._broker.bootstrap}, {self._broker.kind}"
        with self._screen.step("topics") as step:
            await self._make_topics()
            step.says = f"{len(all_topics())} in place"

    async def _find_broker(self, bootstrap: str) -> None:
        self._broker = await asyncio.to_thread(find_broker, bootstrap)

    async def _launch_broker(self) -> None:
        broker, notes = choose_broker(self._settings.broker, self._home, self._settings.partitions)
        self._broker = broker
        self._notes += notes
        await self._launch(broker, self._broker_returned)

    async def _start_app(self) -> None:
        settings, broker = self._settings, self._broker
        storage, key = self._azurite.connection_string, self._home.admin_key()
        wiring = Wiring(storage, broker.bootstrap, broker.volatile, key)
        self._app = FunctionApp(settings.app, settings.port, wiring, settings.host)
        if settings.host == "func":
            self._notes.append(FUNC_NOTE)
        with self._screen.step("host") as step:
            await self._launch(self._app, _nothing)
            step.says = self._app.url

    async def _launch(
        self,
        service: Service,
        returned: Callable[[], Awaitable[None]],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        guard = Guard(service, self._home, self._screen, [self._keep_open], self._describe, returned, ended)
        self._guards[service.name] = guard
        await guard.start()

    async def _make_storage(self) -> None:
        await asyncio.to_thread(make_containers, self._azurite.connection_string, all_containers())
        await asyncio.to_thread(make_tables, self._azurite.connection_string, STATE_TABLES)
        await asyncio.to_thread(make_queues, self._azurite.connection_string, QUEUES)

    async def _make_topics(self) -> None:
        await asyncio.to_thread(self._broker.make_topics, all_topics(), self._settings.partitions)

    async def _broker_returned(self) -> None:
        await self._make_topics()
        if self._app.wiring.kafka_bootstrap != self._broker.bootstrap:
            # The mock is somewhere else after each start, which the app learns only by starting too.
            self._app.wiring = replace(self._app.wiring, kafka_bootstrap=self._broker.bootstrap)
            await self._guards["host"].stop(HOST_PATIENCE)

    def _storage_ended(self) -> None:
        """Makes the host read again what a killed Azurite may have forgotten.

        Azurite saves its index every five seconds, so the last blobs before a kill are gone. The host's
        checkpoints lag behind by more than that: killed too, before they catch up, it takes these messages
        anew.
        """
        host = self._guards.get("host")
        if host is not None and host.pid is not None and not self.stopping:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(host.pid, signal.SIGKILL)

    def _describe(self) -> None:
        pids = {name: guard.pid for name, guard in self._guards.items()}
        wiring = self._app.wiring
        StackDescription(
            http_url=self._app.url,
            kafka_bootstrap=wiring.kafka_bootstrap,
            storage_connection_string=wiring.storage_connection_string,
            api_key=wiring.admin_key,
            pids={"supervisor": os.getpid(), "host": None, "azurite": None, "kafka": None, **pids},
            broker=self._broker.kind,
            broker_volatile=wiring.broker_volatile,
            notes=self._notes,
        ).write(self._home.stack_file)

    async def _stop(self) -> None:
        deadline = time.monotonic() + STOP_PATIENCE
        self._home.stack_file.unlink(missing_ok=True)
        if host := self._guards.pop("host", None):
            await host.stop(HOST_PATIENCE)
        left = deadline - time.monotonic()
        await asyncio.gather(*(guard.stop(left) for guard in self._guards.values()))


async def _install_tools() -> None:
    code, _ = await run_to_end([sys.executable, "-m", "devstack.tools"], output=None)
    if code != 0:
        raise StackError("The local stack cannot start without this.")


async def _nothing() -> None:
    """What remains to be done when the host is back."""

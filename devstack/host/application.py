"""The host of one app: puts the listeners around the worker and takes them down again."""

import asyncio
import gc
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devstack.host.bindings import Function
from devstack.host.eventhubs import Broker, EventHubTrigger
from devstack.host.host_json import HostOptions, read_host_json
from devstack.host.http import HttpFront, HttpServer, http_router
from devstack.host.identity import host_identity
from devstack.host.leases import HostLease
from devstack.host.logs import set_up_logging
from devstack.host.outputs import Outputs
from devstack.host.queues import QueueTrigger
from devstack.host.schedule_status import StatusStore
from devstack.host.storage import Storage
from devstack.host.timers import Timer, TimerListener
from devstack.host.topic_ids import TopicIds
from devstack.host.worker import Worker

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that work in flight gets to end when the host stops."""


class Listener(Protocol):
    """Something that invokes functions from `start` on until it is stopped."""

    def start(self) -> None:
        """Begin, on the running loop; what it connects to need not be there yet."""

    async def stop(self, patience: float) -> None:
        """Take no new work; return when work in flight has ended or `patience` seconds are over."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the host runs and what it connects to."""

    app: Path
    address: str
    port: int
    kafka: str
    settings: Mapping[str, str]
    checkpoint_lag: float = 0.0


class Application:
    """A running host."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._listeners: list[Listener] = []
        self._server: HttpServer

    async def start(self) -> str:
        """Index the app and start every listener; gives the URL. Raises HostError and OSError."""
        place = self._place
        running: dict[str, str] = {}
        set_up_logging(running)
        options = read_host_json(place.app)
        limit = options.function_timeout
        worker = Worker(running, limit.total_seconds() if limit else None)
        functions = await worker.load(place.app, place.settings)
        _spare_the_collector()
        storage = Storage(place.settings)
        outputs = Outputs(storage, options.queues.base64)
        front = HttpFront(http_router(functions, options.route_prefix), worker, outputs)
        server = HttpServer(front, place.address, place.port)
        # All are made before any is started: what is wrong with one trigger is said before another runs.
        triggers = Triggers(place, options, worker, storage, outputs, host_identity(server.url))
        self._listeners = [
            *triggers.event_hubs(functions),
            *triggers.queues(functions),
            *triggers.timers(functions),
        ]
        await server.start()
        for listener in self._listeners:
            listener.start()
        self._server = server
        return server.url

    async def stop(self) -> None:
        """Stop everything at once, within PATIENCE."""
        stopping = [listener.stop(PATIENCE) for listener in self._listeners]
        await asyncio.gather(self._server.stop(PATIENCE), *stopping)


def _spare_the_collector() -> None:
    """What is imported stays, and a batch makes thousands of objects that need no looking at one by one."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@dataclass(frozen=True, slots=True)
class Triggers:
    """Makes the listeners for the functions of each kind; raises HostError."""

    place: Place
    options: HostOptions
    worker: Worker
    storage: Storage
    outputs: Outputs
    identity: str

    def event_hubs(self, functions: list[Function]) -> list[Listener]:
        """A listener for each Event Hub function."""
        kafka = Broker(self.place.kafka, self.identity, TopicIds(self.place.kafka), self.place.checkpoint_lag)
        return [
            EventHubTrigger(function, self.worker, self.options.event_hubs, kafka)
            for function in functions
            if function.trigger.type == "eventHubTrigger"
        ]

    def queues(self, functions: list[Function]) -> list[Listener]:
        """A listener for each queue function."""
        return [
            QueueTrigger(function, self.worker, self.outputs, self.storage, self.options.queues)
            for function in functions
            if function.trigger.type == "queueTrigger"
        ]

    def timers(self, functions: list[Function]) -> list[Listener]:
        """One listener for all timer functions, if there are any."""
        # Hosts of one app share state and lease; on Azure the app's name is what identifies it.
        host_id = self.place.settings.get("AzureFunctionsWebHost__hostid") or self.place.app.name.lower()
        store = StatusStore(self.storage, host_id)
        timers = [
            Timer(function, self.worker, self.outputs, store)
            for function in functions
            if function.trigger.type == "timerTrigger"
        ]
        lease = HostLease(self.storage, f"locks/{host_id}/timers", self.identity)
        return [TimerListener(timers, lease)] if timers else []

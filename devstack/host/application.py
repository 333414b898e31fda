"""The host of one app: puts the listeners around the worker and takes them down again."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devstack.host.eventhubs import EventHubTrigger
from devstack.host.host_json import read_host_json
from devstack.host.http import HttpFront, HttpServer, http_router
from devstack.host.logs import set_up_logging
from devstack.host.outputs import Outputs
from devstack.host.topic_ids import TopicIds
from devstack.host.worker import Worker

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that work in flight gets to end when the host stops."""


class Listener(Protocol):
    """Something that invokes functions until it is stopped."""

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


class Application:
    """A running host."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._listeners: list[Listener] = []

    async def start(self) -> str:
        """Index the app and start every listener; gives the URL. Raises HostError."""
        place = self._place
        running: dict[str, str] = {}
        set_up_logging(running)
        options = read_host_json(place.app)
        limit = options.function_timeout
        worker = Worker(running, limit.total_seconds() if limit else None)
        functions = await worker.load(place.app, place.settings)
        outputs = Outputs()
        router = http_router(functions, options.route_prefix)
        topic_ids = TopicIds(place.kafka)
        hubs = [
            EventHubTrigger(function, worker, options.event_hubs, topic_ids)
            for function in functions
            if function.trigger.type == "eventHubTrigger"
        ]
        server = HttpServer(HttpFront(router, worker, outputs), place.address, place.port)
        await server.start()
        self._listeners.append(server)
        for hub in hubs:
            await hub.start(place.kafka)
            self._listeners.append(hub)
        return server.url

    async def stop(self) -> None:
        """Stop every listener at once, within PATIENCE."""
        await asyncio.gather(*(listener.stop(PATIENCE) for listener in self._listeners))

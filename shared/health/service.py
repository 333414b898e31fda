"""The health of Floe: quick to ask, true within a few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from shared.health.models import Health
from shared.health.ports import Deployment, Facts, PipelineFacts, Probe
from shared.health.report import compose
from shared.health.watch import Watch
from shared.platform.clock import Clock, utc_now

INTERVAL_SECONDS = 4.0
TIMEOUT_SECONDS = 3.0
# Past this age an outcome says nothing any more: the next to ask waits for a new one.
STALE_SECONDS = 12.0
# How long checks go on in the background after the last one who asked.
IDLE_SECONDS = 600.0


class HealthService:
    """Checks `probes` and reads `facts` every few seconds while somebody asks, and reports from memory.

    The first report, and the first after a long silence, wait until every check is through or out of time.
    `ticks` are monotonic seconds.
    """

    def __init__(
        self,
        probes: Iterable[Probe],
        facts: PipelineFacts,
        deployment: Deployment,
        *,
        clock: Clock = utc_now,
        ticks: Callable[[], float] = time.monotonic,
        interval: float = INTERVAL_SECONDS,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        probes = tuple(probes)
        self._probes = {probe.name: Watch(probe.name, probe.check, timeout) for probe in probes}
        self._essential = frozenset(probe.name for probe in probes if probe.essential)
        self._facts: Watch[Facts] = Watch("facts", facts.read, timeout)
        self._deployment = deployment
        self._clock = clock
        self._ticks = ticks
        self._interval = interval
        self._asked = self._checked = float("-inf")
        self._loop: asyncio.Task[None] | None = None

    async def report(self) -> Health:
        """The health of now."""
        self._asked = self._ticks()
        if self._asked - self._checked > STALE_SECONDS:
            await self.refresh()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._keep_fresh())
        return self._compose()

    async def refresh(self) -> None:
        """Run every check once, all at the same time; returns within the time limit."""
        await asyncio.gather(self._facts.refresh(), *(watch.refresh() for watch in self._probes.values()))
        self._checked = self._ticks()

    async def close(self) -> None:
        """Stop checking."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _keep_fresh(self) -> None:
        while self._ticks() - self._asked < IDLE_SECONDS:
            await asyncio.sleep(self._interval)
            await self.refresh()

    def _compose(self) -> Health:
        return compose(
            answers={name: watch.answered for name, watch in self._probes.items()},
            essential=self._essential,
            facts=self._facts.value,
            deployment=self._deployment,
            now=self._clock(),
        )

"""Sends a simulation's events, at once or as a job, by the way that batches of events take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from shared.ingest.json_text import encode
from shared.ingest.publish import EventIntake
from shared.jobs.context import JobContext
from shared.platform.errors import BrokerUnavailable
from shared.simulation.models import CHUNK, Simulation, simulation_of

if TYPE_CHECKING:
    from shared.simulation.event_texts import Made

EVENTS_GENERATED = "events_generated"


class Simulator:
    """Makes and sends events; `batch_events` bounds how many the intake is given at a time."""

    def __init__(self, intake: EventIntake, batch_events: int) -> None:
        self._intake = intake
        self._batch_events = batch_events

    async def run(self, simulation: Simulation) -> None:
        """Returns when the broker has all of the events. Raises BrokerUnavailable; it may have some then."""
        from shared.simulation.traffic import Traffic

        traffic = await asyncio.to_thread(Traffic, simulation)
        for number in range(simulation.chunks):
            await self._send(await asyncio.to_thread(traffic.chunk, number))

    def handle(self, context: JobContext) -> None:
        """The handler of simulation jobs. A chunk counts once it is sent and that is kept; who is killed in
        between leaves it to be sent again, with the same ids."""
        from shared.simulation.traffic import Traffic

        context.check()
        simulation = simulation_of(context.job.parameters)
        traffic = Traffic(simulation)
        with asyncio.Runner() as runner:
            for number in range(int(context.job.state.get("chunk", 0)), simulation.chunks):
                context.check()
                runner.run(self._send(traffic.chunk(number)))
                done = min((number + 1) * CHUNK, simulation.events)
                context.progress(done, simulation.events)
                context.save(state={"chunk": number + 1}, outcome={EVENTS_GENERATED: done})

    async def _send(self, events: Sequence[Made]) -> None:
        for batch in batched(events, self._batch_events, strict=False):
            outcomes = await self._intake.take_batch(encode(batch))
            lost = [outcome.error for outcome in outcomes if outcome.error is not None]
            if lost:
                raise BrokerUnavailable(f"{len(lost)} of {len(outcomes)} events were not taken: {lost[0]}")

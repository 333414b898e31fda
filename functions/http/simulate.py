"""Made-up traffic, for trying things out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, operation
from functions.http.events import TAGS, EventType
from shared import runtime
from shared.jobs.kinds import SIMULATE
from shared.platform.clock import utc_now
from shared.platform.times import UtcTime
from shared.simulation.incidents import told
from shared.simulation.models import CHUNK, Simulation, simulation_of
from shared.simulation.wanted import MAX_INCIDENTS, Asked, simulation_wanted
from shared.simulation.work import EVENTS_GENERATED

bp = func.Blueprint()

# Whole numbers that every reader of JSON reads alike.
_LARGEST_SEED = 2**53 - 1
_SHORT = {"num_events": 1000, "event_type": "random"}
_HISTORY = {
    "num_events": 5000,
    "seed": 42,
    "start_time": "2025-09-29T00:00:00Z",
    "end_time": "2025-09-29T06:00:00Z",
    "incidents": 2,
}


class SimulationWanted(ApiModel):
    """What is to be made up."""

    num_events: int = Field(
        1000, strict=True, ge=1, description="How many events; `FLOE_SIMULATE_MAX_EVENTS` bounds it."
    )
    event_type: Literal["random", EventType] = Field(
        "random", description="One of the five types, or all of them, each with its share."
    )
    seed: Annotated[int, Field(strict=True, ge=0, le=_LARGEST_SEED)] | None = Field(
        None, description="The same seed, span and numbers give the same events; chosen where it is missing."
    )
    start_time: UtcTime | None = Field(
        None, description="Earliest event time, inclusive; by default a minute before `end_time`."
    )
    end_time: UtcTime | None = Field(None, description="Latest event time, exclusive; by default now.")
    incidents: Annotated[int, Field(strict=True, ge=0, le=MAX_INCIDENTS)] | None = Field(
        None, description="How many incidents there are; by default one for each six hours."
    )


class SimulatedIncident(ApiModel):
    """What goes wrong, when and where; its events carry `id` and `kind` in `metadata.incident`."""

    id: str
    kind: str
    region: str
    event_types: list[str] = Field(description="The types whose events carry it.")
    start_time: UtcTime
    end_time: UtcTime


class Simulated(ApiModel):
    """The simulation, which is done, was started, or was at work before."""

    status: Literal["success", "started", "running"]
    events_generated: int = Field(description="Events that the broker has by now.")
    message: str
    job_id: str | None = Field(description="See `GET /storage/jobs/{id}`; null where all is done.")
    num_events: int
    event_type: str
    seed: int
    start_time: UtcTime
    end_time: UtcTime
    incidents: list[SimulatedIncident]


@operation(
    bp,
    "POST",
    "api/simulate",
    summary="Simulate traffic",
    tags=TAGS,
    body=SimulationWanted,
    body_examples={"a little": _SHORT, "six hours of the past": _HISTORY},
    response=Described("The broker has the events", Simulated),
    responses={
        202: Described(
            "A job makes the events, or another simulation is at work, which is told instead",
            Simulated,
            headers={"Location": "Where the job tells how far it is."},
        )
    },
    errors=(503,),
    scope="events:write",
    rate="simulate",
    open_locally=True,
)
async def simulate(request: Request[None, SimulationWanted]) -> Reply[Simulated]:
    """Plausible events with a daily swing, sessions of users, and incidents that are labelled as such.

    Up to 5,000 events are there when the answer comes; more are made by a job, of which one is at work at a
    time.
    """
    body = request.body
    asked = Asked(body.num_events, body.event_type, body.seed, body.start_time, body.end_time, body.incidents)
    simulation = simulation_wanted(asked, utc_now(), runtime.settings().simulate_max_events)
    if simulation.events > CHUNK:
        return await asyncio.to_thread(_as_job, simulation)
    await runtime.simulator().run(simulation)
    message = f"{simulation.events} events simulated"
    return Reply(200, await asyncio.to_thread(_shown, simulation, "success", simulation.events, message))


def _as_job(simulation: Simulation) -> Reply[Simulated]:
    started = runtime.jobs().start(SIMULATE, simulation.parameters())
    job = started.job
    where = f"/storage/jobs/{job.id}"
    message = f"Simulation {'started' if started.new else 'is at work'} in background; see {where}"
    at_work = simulation_of(job.parameters)
    so_far = job.outcome.get(EVENTS_GENERATED, 0)
    shown = _shown(at_work, "started" if started.new else "running", so_far, message, job.id)
    return Reply(202, shown, {"Location": where})


def _shown(
    simulation: Simulation,
    status: Literal["success", "started", "running"],
    generated: int,
    message: str,
    job_id: str | None = None,
) -> Simulated:
    incidents = [
        SimulatedIncident(
            id=one.id,
            kind=one.kind,
            region=one.region,
            event_types=list(one.event_types),
            start_time=one.start,
            end_time=one.end,
        )
        for one in told(simulation)
    ]
    return Simulated(
        status=status,
        events_generated=generated,
        message=message,
        job_id=job_id,
        num_events=simulation.events,
        event_type=simulation.event_type,
        seed=simulation.seed,
        start_time=simulation.start,
        end_time=simulation.end,
        incidents=incidents,
    )

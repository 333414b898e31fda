"""The state of the pipeline, for the dashboard."""

from __future__ import annotations

import azure.functions as func

from functions._http import Described, Reply, Request, operation
from shared import runtime
from shared.dashboard.models import PipelineState, example

bp = func.Blueprint()


@operation(
    bp,
    "GET",
    "api/dashboard/pipeline",
    summary="Lag, buffers, commits, dead letters, jobs and slow operations",
    tags=["Dashboard"],
    response=Described("What is known within the last seconds", PipelineState, example=example()),
    scope="metrics:read",
    open_locally=True,
)
async def get_pipeline_state(request: Request) -> Reply[PipelineState]:
    """An addition to the reference. Measured at most every two seconds, however many look; null is what its
    source did not tell in time."""
    return Reply(200, await runtime.pipeline_state().report(), {"Cache-Control": "no-store"})

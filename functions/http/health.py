"""Whether Floe works."""

from __future__ import annotations

import azure.functions as func

from functions._http import Described, Reply, Request, operation
from shared import runtime
from shared.health.models import Health

bp = func.Blueprint()


@operation(
    bp,
    "GET",
    "health",
    summary="Health of Floe and of what it rests on",
    tags=["Health and metrics"],
    response=Described("Floe takes data; `degraded` names what is wrong", Health),
    responses={503: Described("Floe cannot take data", Health)},
    open=True,
)
async def get_health(request: Request) -> Reply[Health]:
    """Answers from memory; the checks behind it run every few seconds while somebody asks."""
    health = await runtime.health().report()
    return Reply(503 if health.status == "unhealthy" else 200, health, {"Cache-Control": "no-store"})

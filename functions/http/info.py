"""What runs here."""

from __future__ import annotations

import azure.functions as func

from functions._http import ApiModel, Request, operation
from shared import runtime
from shared.platform.version import VERSION

bp = func.Blueprint()
DESCRIPTION = "Telemetry from Kafka and HTTP, exactly once, into Delta Lake"


class Info(ApiModel):
    """The service and its version."""

    name: str
    version: str
    description: str
    environment: str


@operation(
    bp,
    "GET",
    "info",
    summary="Name and version of the service",
    tags=["Health and metrics"],
    response=Info,
    open=True,
)
async def get_info(request: Request) -> Info:
    """Tells nothing secret, and needs no key. `environment` is `FLOE_ENVIRONMENT`."""
    return Info(
        name="floe", version=VERSION, description=DESCRIPTION, environment=runtime.settings().environment
    )

"""The metrics, in JSON and in Prometheus' formats."""

from __future__ import annotations

import asyncio
from typing import Any

import azure.functions as func

from functions._http import Described, Reply, Request, operation
from functions._http.accept import preferred
from shared import runtime
from shared.telemetry.models import Metrics, metrics

bp = func.Blueprint()
JSON = "application/json"
_PROMETHEUS = ("application/openmetrics-text", "text/plain")
_FRESH = {"Cache-Control": "no-store", "Vary": "Accept"}


@operation(
    bp,
    "GET",
    "metrics",
    summary="Metrics",
    tags=["Health and metrics"],
    response=Described(
        "The figures of all instances together; what is not known is null", Metrics, other_types=_PROMETHEUS
    ),
    errors=(503,),
    scope="metrics:read",
    open_locally=True,
)
async def get_metrics(request: Request) -> Reply[Any]:
    """JSON, unless `Accept` prefers `text/plain` or `application/openmetrics-text`, as Prometheus does.

    The Prometheus formats have more: every metric of docs/metrics.md. Totals are durable and those of all
    instances; what other instances counted in the last fifteen seconds may be missing yet.
    """
    from shared.telemetry.exposition import OPENMETRICS, TEXT, expose

    wanted = preferred(request.headers.get("accept"), (JSON, *_PROMETHEUS))
    seen, totals = await asyncio.gather(asyncio.to_thread(runtime.recorder().seen), runtime.pipeline_totals())
    if wanted in (None, JSON):
        return Reply(200, metrics(seen.produced, totals), _FRESH)
    open_metrics = wanted != "text/plain"
    body = await asyncio.to_thread(expose, seen, totals, "openmetrics" if open_metrics else "text")
    return Reply(200, body, _FRESH, OPENMETRICS if open_metrics else TEXT)

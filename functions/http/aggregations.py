"""Events by window: aggregates on the clock, and roll-ups made anew."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import Field, field_validator

from functions._http import ApiModel, Described, Request, operation
from functions._http.pagination import LimitQuery
from functions._http.parameters import WholeNumber
from functions.http.events import EventType
from functions.http.jobs import JobShown, shown
from shared import runtime
from shared.jobs.kinds import RECOMPUTE
from shared.platform.clock import utc_now
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Analytics"]
_DAY = 86_400

_EXAMPLE = {
    "aggregations": [
        {
            "event_type": "transaction",
            "window_start": "2025-09-30T12:00:00Z",
            "count": 1523,
            "metrics": {
                "total_value": 152345.67,
                "avg_value": 100.03,
                "max_value": 999.99,
                "min_value": 0.99,
            },
            "computed_at": "2025-09-30T12:05:00Z",
        }
    ],
    "count": 1,
}


def _makes_whole_days(seconds: int) -> bool:
    return seconds % 60 == 0 and _DAY % seconds == 0


class AggregationsQuery(LimitQuery):
    """Which windows."""

    event_type: EventType | None = Field(None, description="One of the five types; each apart where missing.")
    start_time: UtcTime | None = Field(None, description="Earliest beginning of a window, inclusive.")
    end_time: UtcTime | None = Field(None, description="Latest beginning of a window, exclusive.")
    window: Annotated[WholeNumber, Field(ge=60, le=_DAY)] = Field(
        300,
        description="Length in seconds: whole minutes that divide a day, such as 60, 300, 900, 3600, 86400.",
    )
    group_by: Literal["event_type", "region"] = Field(
        "event_type", description="`region`: each region of a type apart."
    )

    @field_validator("window")
    @classmethod
    def _divides_a_day(cls, window: int) -> int:
        if not _makes_whole_days(window):
            raise ValueError("should be whole minutes that divide a day, such as 60, 300, 900 or 3600")
        return window


class Metrics(ApiModel):
    """Of the values of a window's events: `data.value` where it is a number, else `data.amount`. Null where
    no event has one."""

    total_value: float | None
    avg_value: float | None
    max_value: float | None
    min_value: float | None


class AggregationShown(ApiModel):
    """What the events of one type in one window add up to."""

    event_type: str
    region: str | None = Field(
        None,
        description="With `group_by=region`: null for events without one, `other` for those beyond as many "
        "as are counted apart. Absent otherwise.",
    )
    window_start: UtcTime
    count: int
    metrics: Metrics
    computed_at: UtcTime = Field(description="The moment of the answer: what is landed by then counts.")


class Aggregations(ApiModel):
    """Windows, newest first, then by type and region."""

    aggregations: list[AggregationShown]
    count: int


class RecomputeWanted(ApiModel):
    """Which dates of event time (UTC); all where nothing is given."""

    start_date: date | None = Field(None, description="The first one.")
    end_date: date | None = Field(None, description="The last one, inclusive.")


class RecomputeStarted(ApiModel):
    """The recomputation that is at work now."""

    started: bool = Field(description="False where it was at work before; this request changed nothing then.")
    job: JobShown


@operation(
    bp,
    "GET",
    "api/aggregations",
    summary="Events by window",
    tags=TAGS,
    query=AggregationsQuery,
    response=Described("Windows that have events", Aggregations, example=_EXAMPLE),
    scope="events:read",
    open_locally=True,
    blocking=True,
)
def query_aggregations(request: Request[AggregationsQuery]) -> dict[str, Any]:
    """Windows on the clock, five minutes long unless `window` says otherwise; landed events are in them."""
    from shared.rollups.windows import Aggregate, WindowsWanted, aggregates

    query = request.query
    computed_at, by_region = utc_now(), query.group_by == "region"

    def entry(aggregate: Aggregate) -> dict[str, Any]:
        return {
            "event_type": aggregate.event_type,
            **({"region": aggregate.region} if by_region else {}),
            "window_start": aggregate.window_start,
            "count": aggregate.count,
            "metrics": {
                "total_value": aggregate.total,
                "avg_value": aggregate.average,
                "max_value": aggregate.highest,
                "min_value": aggregate.lowest,
            },
            "computed_at": computed_at,
        }

    wanted = WindowsWanted(
        seconds=query.window,
        limit=query.limit,
        event_type=query.event_type,
        by_region=by_region,
        start=query.start_time,
        end=query.end_time,
    )
    found = [entry(aggregate) for aggregate in aggregates(runtime.rollups(), wanted)]
    return {"aggregations": found, "count": len(found)}


@operation(
    bp,
    "POST",
    "api/aggregations/recompute",
    summary="Make roll-ups anew",
    tags=TAGS,
    body=RecomputeWanted,
    body_required=False,
    body_examples={"from a date on": {"start_date": "2025-09-30"}},
    response=Described("The job, new or at work already", RecomputeStarted),
    status=202,
    errors=(503,),
    scope="storage:write",
    open_locally=True,
    blocking=True,
)
def recompute_aggregations(request: Request[None, RecomputeWanted | None]) -> RecomputeStarted:
    """Starts a job that makes the roll-ups of each date anew from the table of the events. Nothing counts
    twice meanwhile, nor is missing."""
    wanted = request.body or RecomputeWanted.model_validate({})
    started = runtime.jobs().start(RECOMPUTE, wanted.model_dump(mode="json", exclude_none=True))
    return RecomputeStarted(started=started.new, job=shown(started.job))

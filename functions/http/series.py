"""Series by minute, with the band of what was expected and the anomalies in them."""

from __future__ import annotations

from datetime import timedelta

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Request, operation
from functions.http.anomalies import AnomalyShown, MetricName, RegionName, shown
from functions.http.events import EventType
from shared import runtime
from shared.anomalies.models import Series
from shared.platform.clock import utc_now
from shared.platform.errors import BadRequest
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Anomalies"]

_USUAL = timedelta(hours=6)
_LONGEST = timedelta(days=7)


class SeriesQuery(ApiModel):
    """Which series, and which of its minutes."""

    event_type: EventType
    region: RegionName | None = Field(None, description="All regions together where it is missing.")
    metric: MetricName = Field("count", description="Events a minute, or the mean of their values.")
    start_time: UtcTime | None = Field(None, description="Inclusive; six hours before the end if missing.")
    end_time: UtcTime | None = Field(None, description="Exclusive; now if missing; at most 7 days after it.")


class PointShown(ApiModel):
    """A minute."""

    timestamp: UtcTime = Field(description="When it began.")
    value: float | None = Field(description="Null where no event had a value.")
    expected: float | None = Field(description="Null while the series is too young to say.")
    low: float | None = Field(description="One minute in a thousand lies outside of low and high.")
    high: float | None
    complete: bool = Field(description="False for the minute that it is now.")


class SeriesShown(ApiModel):
    """The minutes of a series from its first event in reach on, oldest first, and its anomalies."""

    event_type: str
    region: str | None
    metric: MetricName
    start_time: UtcTime
    end_time: UtcTime
    points: list[PointShown]
    anomalies: list[AnomalyShown]


def _span(query: SeriesQuery) -> tuple[UtcTime, UtcTime]:
    """Raises BadRequest where the span is none, or too long."""
    end = query.end_time or utc_now()
    try:
        start = query.start_time or end - _USUAL
    except OverflowError:
        start = end
    issue = None
    if start >= end:
        issue = "should lie before end_time"
    elif end - start > _LONGEST:
        issue = "should lie at most 7 days before end_time"
    if issue:
        raise BadRequest(f"start_time: {issue}", details={"field": "start_time", "issue": issue})
    return start, end


@operation(
    bp,
    "GET",
    "api/series",
    summary="A series by minute, with what was expected",
    tags=TAGS,
    query=SeriesQuery,
    response=Described("The minutes, oldest first", SeriesShown),
    errors=(503,),
    scope="events:read",
    open_locally=True,
    blocking=True,
)
def get_series(request: Request[SeriesQuery]) -> SeriesShown:
    """What was expected of each minute is what the detector made of the minutes before it; it is null during
    its warm-up. Anomalies are those that were told of this very series."""
    query = request.query
    start, end = _span(query)
    series = Series(query.event_type, query.region, query.metric)
    points = [
        PointShown(
            timestamp=point.time,
            value=point.value,
            expected=point.band.expected if point.band else None,
            low=point.band.low if point.band else None,
            high=point.band.high if point.band else None,
            complete=point.complete,
        )
        for point in runtime.bands().points(series, start, end)
    ]
    return SeriesShown(
        event_type=series.event_type,
        region=series.region,
        metric=series.metric,
        start_time=start,
        end_time=end,
        points=points,
        anomalies=[shown(one) for one in runtime.anomalies().of_series(series, start, end)],
    )

"""Anomalies: what was found, and that somebody has seen it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, operation
from functions._http.continuation import Continuation
from functions._http.pagination import LINK, MAX_ITEMS, ContinuedPage, ContinuedQuery, continued_links
from functions._http.parameters import WholeNumber
from functions.http.events import EventType
from shared import runtime
from shared.anomalies.models import Anomaly
from shared.anomalies.service import AnomaliesWanted
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Anomalies"]

_PAGES = Continuation("anomalies", str)

MetricName = Literal["count", "mean"]
SeverityName = Literal["low", "medium", "high", "critical"]
RegionName = Annotated[str, Field(min_length=1, max_length=128)]

_ID = "transaction-20250930T1214-mean-684888c0ebb1"
_SHOWN = {
    "id": _ID,
    "event_type": "transaction",
    "region": None,
    "metric": "mean",
    "detected_at": "2025-09-30T12:15:05Z",
    "window_start": "2025-09-30T12:14:00Z",
    "window_end": "2025-09-30T12:15:00Z",
    "severity": "critical",
    "score": 312.5,
    "stream": "season",
    "status": "open",
    "acknowledged": False,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "note": None,
    "details": {"current_value": 9999.99, "expected_value": 100.0, "deviation": 98.9999},
}


class AnomaliesQuery(ContinuedQuery):
    """Which anomalies."""

    limit: Annotated[WholeNumber, Field(ge=1, le=MAX_ITEMS, description="How many items at most.")] = 50
    event_type: EventType | None = Field(None, description="One of the five types; all where it is missing.")
    region: RegionName | None = Field(None, description="Only those of this region's own series.")
    metric: MetricName | None = Field(
        None, description="Only those of the number of events a minute, or of their mean value."
    )
    severity: SeverityName | None = Field(None, description="Only those of this severity.")
    acknowledged: bool | None = Field(None, description="Only those that somebody acknowledged, or nobody.")
    start_time: UtcTime | None = Field(None, description="Found then or later.")
    end_time: UtcTime | None = Field(None, description="Found before.")


class AnomalyPath(ApiModel):
    """Which anomaly."""

    id: Annotated[str, Field(max_length=128, description="As the list gives it.", examples=[_ID])]


class Acknowledgement(ApiModel):
    """What to note with it."""

    note: Annotated[str, Field(max_length=1000)] | None = Field(None, description="For others to read.")


class Details(ApiModel):
    """What came, and what was expected."""

    current_value: float = Field(description="The minute's number of events, or the mean of their values.")
    expected_value: float
    deviation: float | None = Field(
        description="(current - expected) / expected; null where nothing was expected."
    )


class AnomalyShown(ApiModel):
    """A minute of a series that its past did not lead to expect."""

    id: str
    event_type: str
    region: str | None = Field(description="Null: all regions together, and events without one.")
    metric: MetricName
    detected_at: UtcTime
    window_start: UtcTime = Field(description="When the minute began.")
    window_end: UtcTime
    severity: SeverityName = Field(description="By the score.")
    score: float = Field(description="How much it surprised, on a scale of -log10 probabilities.")
    stream: str = Field(description="What spoke loudest: `season`, `level`, `shape`, `symbols`.")
    status: Literal["open", "acknowledged"]
    acknowledged: bool
    acknowledged_at: UtcTime | None
    acknowledged_by: str | None
    note: str | None
    details: Details


class AnomaliesPage(ContinuedPage):
    """Anomalies, newest first."""

    anomalies: list[AnomalyShown]


def shown(anomaly: Anomaly) -> AnomalyShown:
    """The anomaly as the API shows it."""
    acknowledged = anomaly.acknowledged_at is not None
    return AnomalyShown(
        id=anomaly.id,
        event_type=anomaly.series.event_type,
        region=anomaly.series.region,
        metric=anomaly.series.metric,
        detected_at=anomaly.detected_at,
        window_start=anomaly.window_start,
        window_end=anomaly.window_end,
        severity=anomaly.severity,
        score=anomaly.score,
        stream=anomaly.stream,
        status="acknowledged" if acknowledged else "open",
        acknowledged=acknowledged,
        acknowledged_at=anomaly.acknowledged_at,
        acknowledged_by=anomaly.acknowledged_by,
        note=anomaly.note,
        details=Details(
            current_value=anomaly.value,
            expected_value=anomaly.expected,
            deviation=anomaly.deviation,
        ),
    )


_PAGE: dict[str, Any] = {"anomalies": [_SHOWN], "count": 1, "continuation": None}


@operation(
    bp,
    "GET",
    "api/anomalies",
    summary="Find anomalies",
    tags=TAGS,
    query=AnomaliesQuery,
    response=Described("Anomalies, newest first", AnomaliesPage, headers=LINK, example=_PAGE),
    errors=(503,),
    scope="events:read",
    open_locally=True,
    blocking=True,
)
def list_anomalies(request: Request[AnomaliesQuery]) -> Reply[AnomaliesPage]:
    """Newest first by when they were found. What rises or falls in all regions together is told once, as
    such; see docs/anomalies.md."""
    query = request.query
    wanted = AnomaliesWanted(
        event_type=query.event_type,
        region=query.region,
        metric=query.metric,
        severity=query.severity,
        acknowledged=query.acknowledged,
        start=query.start_time,
        end=query.end_time,
    )
    found = runtime.anomalies().page(wanted, _PAGES.position(query) or "", query.limit + 1)
    listed = found[: query.limit]
    continuation = _PAGES.token(query, listed[-1][0]) if len(found) > len(listed) else None
    page = AnomaliesPage(
        anomalies=[shown(anomaly) for _, anomaly in listed], count=len(listed), continuation=continuation
    )
    return Reply(200, page, continued_links(request, continuation))


@operation(
    bp,
    "POST",
    "api/anomalies/{id}/acknowledge",
    summary="Acknowledge an anomaly",
    tags=TAGS,
    path=AnomalyPath,
    body=Acknowledgement,
    body_required=False,
    body_examples={"with a note": {"note": "The sale began an hour early."}},
    response=Described(
        "The anomaly",
        AnomalyShown,
        example=_SHOWN
        | {
            "status": "acknowledged",
            "acknowledged": True,
            "acknowledged_at": "2025-09-30T12:20:00Z",
            "acknowledged_by": "5f2b8c1d9e0a4b7c",
            "note": "The sale began an hour early.",
        },
    ),
    errors=(404, 503),
    scope="anomalies:write",
    open_locally=True,
    blocking=True,
)
def acknowledge_anomaly(request: Request[None, Acknowledgement | None, AnomalyPath]) -> AnomalyShown:
    """Notes that somebody has seen it. Again, it changes nothing: the first acknowledgement stays."""
    note = request.body.note if request.body else None
    return shown(runtime.anomalies().acknowledge(request.path.id, request.principal.id, note))

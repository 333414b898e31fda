"""Events: taken one by one or in batches, and found again."""

from __future__ import annotations

from typing import Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, RawBody, Reply, Request, operation
from functions._http.pagination import LINK, OffsetPage, OffsetQuery, offset_links
from shared import runtime
from shared.platform.times import UtcTime
from shared.query.events import events_wanted

bp = func.Blueprint()
TAGS = ["Events"]

EventType = Literal["user_action", "transaction", "page_view", "error", "system_metric"]

_EVENT = {
    "event_id": "evt_123",
    "event_type": "user_action",
    "timestamp": "2025-09-30T12:00:00.000000",
    "data": {"user_id": "user_123", "action": "click", "value": 42, "region": "us-east"},
}
_BATCH = [
    {"event_type": "transaction", "data": {"amount": 99.99, "currency": "USD"}},
    {"event_type": "page_view", "data": {"page": "/home", "user_id": "user_456"}},
]
_ACCEPTED = {
    "status": "success",
    "event_id": "evt_123",
    "topic": "events.user_action",
    "partition": 0,
    "offset": 12345,
}
_SUBMITTED = [{"event_id": f"evt_{number}", "status": "submitted"} for number in (1001, 1002)]
_TAKEN = {"status": "success", "count": 2, "results": _SUBMITTED}
_PARTLY_TAKEN = {
    "status": "partial",
    "count": 1,
    "results": [
        _SUBMITTED[0],
        {"event_id": None, "status": "rejected", "error": "Missing required field: data"},
    ],
}
_PAGE = {
    "events": [
        _EVENT
        | {
            "timestamp": "2025-09-30T12:00:00Z",
            "metadata": {"source": "http", "ingestion_time": "2025-09-30T12:00:00.123000Z"},
        }
    ],
    "count": 1,
    "limit": 100,
    "offset": 0,
}


class NewEvent(ApiModel):
    """An event as clients send it. Further fields are kept and come back inside `metadata`."""

    event_id: str | None = Field(None, min_length=1, max_length=1024, description="Made where it is missing.")
    event_type: EventType
    timestamp: str | None = Field(
        None, description="RFC 3339; UTC where it has no zone; the time of arrival where it is missing."
    )
    data: dict[str, Any] = Field(description="Anything; `user_id`, `region` and `value` become columns.")
    metadata: Any = Field(None, description="Comes back beside `source` and `ingestion_time`.")


class EventAccepted(ApiModel):
    """Where the broker put the event."""

    status: Literal["success"] = "success"
    event_id: str
    topic: str
    partition: int
    offset: int


class EventOutcome(ApiModel):
    """What became of one event of a batch."""

    event_id: str | None
    status: Literal["submitted", "rejected"]
    error: str | None = Field(None, description="Why it was rejected; absent where it was submitted.")


class BatchOutcome(ApiModel):
    """What became of a batch; `count` is the number submitted, `results` are in the order sent."""

    status: Literal["success", "partial"]
    count: int
    results: list[EventOutcome]


class EventsQuery(OffsetQuery):
    """Which events."""

    event_type: EventType | None = Field(None, description="One of the five types; all where it is missing.")
    start_time: UtcTime | None = Field(None, description="Earliest event time, inclusive.")
    end_time: UtcTime | None = Field(None, description="Latest event time, exclusive.")


class FoundEvent(ApiModel):
    """An event as it was stored."""

    event_id: str
    event_type: str
    timestamp: str
    data: dict[str, Any]
    metadata: dict[str, Any]


class EventsPage(OffsetPage):
    """A page of events, newest first; `count` is the number in this answer."""

    events: list[FoundEvent]


@operation(
    bp,
    "POST",
    "api/events",
    summary="Take one event",
    tags=TAGS,
    body=RawBody(schema=NewEvent, examples={"click": _EVENT}),
    response=Described("The broker has it", EventAccepted, example=_ACCEPTED),
    scope="events:write",
    open_locally=True,
)
async def create_event(request: Request[None, bytes, None]) -> dict[str, Any]:
    """Answers when the broker has acknowledged the event."""
    accepted = await runtime.event_intake().take_one(request.body)
    position = accepted.position
    return {
        "status": "success",
        "event_id": accepted.event_id,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
    }


@operation(
    bp,
    "POST",
    "api/events/batch",
    summary="Take a batch of events",
    tags=TAGS,
    body=RawBody(schema={"type": "array", "items": NewEvent.model_json_schema()}, examples={"two": _BATCH}),
    response=Described("All events were taken", BatchOutcome, example=_TAKEN),
    responses={
        207: Described("Some events were taken; `results` says which", BatchOutcome, example=_PARTLY_TAKEN),
        400: Described("None of the events is valid; `results` says why", BatchOutcome),
    },
    scope="events:write",
    rate="batch",
    open_locally=True,
)
async def create_events(request: Request[None, bytes, None]) -> Reply:
    """Answers when the broker has acknowledged, or not, each valid event of the array."""
    outcomes = await runtime.event_intake().take_batch(request.body)
    count = sum(outcome.error is None for outcome in outcomes)
    if count == len(outcomes):
        return Reply(200, {"status": "success", "count": count, "results": outcomes})
    if count:
        return Reply(207, {"status": "partial", "count": count, "results": outcomes})
    details = f"none of the {len(outcomes)} events is valid; the first: {outcomes[0].error}"
    return Reply(400, {"error": "Invalid request", "details": details, "count": 0, "results": outcomes})


@operation(
    bp,
    "GET",
    "api/events",
    summary="Find events",
    tags=TAGS,
    query=EventsQuery,
    response=Described("A page of events", EventsPage, headers=LINK, example=_PAGE),
    scope="events:read",
    open_locally=True,
    blocking=True,
    etag=True,
)
def query_events(request: Request[EventsQuery, None, None]) -> Reply[dict[str, Any]]:
    """Newest first by event time; every event that was landed is seen, flushed or not."""
    from shared.query.event_json import events_json

    query = request.query
    wanted = events_wanted(query.event_type, query.start_time, query.end_time, query.limit, query.offset)
    events = events_json(runtime.history().page(wanted, request.version))
    page = {"events": events, "count": len(events), "limit": query.limit, "offset": query.offset}
    return Reply(200, page, offset_links(request, more=len(events) == query.limit))

"""Sensor readings, read back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, WholeNumber, operation
from functions._http.accept import preferred
from functions._http.pagination import LINK, MAX_ITEMS, OffsetPage, OffsetQuery, offset_links
from shared import runtime
from shared.platform.errors import BadRequest
from shared.platform.times import UtcTime
from shared.query.readings import readings_json, readings_wanted
from shared.query.table_formats import FORMATS
from shared.query.wanted import RowsWanted

bp = func.Blueprint()
TAGS = ["Sensor readings"]
JSON = "application/json"

# Of the formats for tables. An answer is held in memory several times over, from the query to its bytes.
_MOST_ROWS = 100_000
_MOST_BYTES = 16 * 2**20

_VARY = {"Vary": "Accept"}


class ReadingsQuery(OffsetQuery):
    """Which readings."""

    asset: Annotated[
        str | None, Field(max_length=1024, description="The asset; all where it is missing.")
    ] = None
    sensor: Annotated[
        str | None, Field(max_length=1024, description="The sensor; all where it is missing.")
    ] = None
    start_time: UtcTime | None = Field(None, description="Earliest time, inclusive.")
    end_time: UtcTime | None = Field(None, description="Latest time, exclusive.")
    order: Literal["newest", "oldest"] = Field("newest", description="Which come first, by time.")
    limit: Annotated[
        WholeNumber,
        Field(
            ge=1,
            le=_MOST_ROWS,
            description=f"How many readings at most: up to {MAX_ITEMS:,} in JSON, up to {_MOST_ROWS:,} else.",
        ),
    ] = 100


class FoundReading(ApiModel):
    """A reading as it was stored."""

    asset_id: str
    sensor_id: str
    timestamp: str
    value: float | None = Field(description="The number; true and false are 1 and 0.")
    value_text: str | None = Field(description="What is no number: text, or the JSON of an object or array.")
    unit: str | None
    quality: str | None
    attributes: Mapping[str, Any] | None = Field(description="All further fields, as they were sent.")
    ingestion_time: str = Field(description="When the broker took it.")


class ReadingsPage(OffsetPage):
    """A page of readings; `count` is the number in this answer."""

    readings: list[FoundReading]


@operation(
    bp,
    "GET",
    "storage/readings",
    summary="Find sensor readings",
    tags=TAGS,
    query=ReadingsQuery,
    response=Described("A page of readings", ReadingsPage, headers=LINK, other_types=tuple(FORMATS)),
    scope="storage:read",
    open_locally=True,
    etag=True,
)
async def query_readings(request: Request[ReadingsQuery, None, None]) -> Reply[Any]:
    """By time, newest or oldest first; every reading that was landed is seen, flushed or not.

    In JSON, or in the format for tables (Parquet, CSV, Arrow IPC stream) that `Accept` prefers, with all
    columns of the table. More than 1,000 rows are given to one request after the other, and hold at most
    16 MiB; more is 400.
    """
    kind = preferred(request.headers.get("accept"), (JSON, *FORMATS)) or JSON
    if request.query.limit <= MAX_ITEMS:
        return await asyncio.to_thread(_answer, request, kind)
    if kind == JSON:
        issue = f"should be less than or equal to {MAX_ITEMS} for JSON"
        raise BadRequest(f"limit: {issue}", details={"field": "limit", "issue": issue})
    return await runtime.exports().run(partial(_answer, request, kind))


def _answer(request: Request[ReadingsQuery, None, None], kind: str) -> Reply[Any]:
    query = request.query
    rows = runtime.history().page(_wanted(query), lambda *parts: request.version(*parts, headers=_VARY))
    told = offset_links(request, more=rows.num_rows == query.limit) | _VARY
    if kind != JSON:
        return Reply(200, FORMATS[kind](rows), told, kind)
    found = readings_json(rows)
    page = {"readings": found, "count": len(found), "limit": query.limit, "offset": query.offset}
    return Reply(200, page, told)


def _wanted(query: ReadingsQuery) -> RowsWanted:
    return readings_wanted(
        query.asset,
        query.sensor,
        query.start_time,
        query.end_time,
        newest=query.order == "newest",
        limit=query.limit,
        offset=query.offset,
        most_bytes=_MOST_BYTES if query.limit > MAX_ITEMS else None,
    )

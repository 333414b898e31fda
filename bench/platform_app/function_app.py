"""A function app for the benchmark `platform`: functions that do nothing, with the platform and without."""

from __future__ import annotations

from typing import Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, RawBody, Request, WholeNumber, operation
from functions._http.catalogue import Catalogue
from functions._http.responses import JSON, Response

ANSWER = b'{"taken":1}'
_READY = Response(ANSWER, 200, {"content-type": JSON})
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
bp = func.Blueprint()
catalogue = Catalogue()


class ThingPath(ApiModel):
    """A thing's number."""

    thing: WholeNumber = Field(ge=1)


class ThingsQuery(ApiModel):
    """Four parameters, one of them missing."""

    kind: Literal["small", "large"] | None = None
    limit: WholeNumber = Field(100, ge=1, le=1000)
    share: float = Field(0.5, ge=0, le=1)
    name: str | None = None


class NewThing(ApiModel):
    """A small body."""

    name: str = Field(min_length=1)
    size: float
    tags: list[str] = Field(default_factory=list)


class Taken(ApiModel):
    """What comes back."""

    taken: int


@app.route("bare", methods=["GET"])
async def bare(req: func.HttpRequest) -> func.HttpResponse:
    """The least that a function can do: an answer that is there already."""
    return _READY


@app.route("sdk", methods=["GET"])
async def bare_with_the_sdks_response(req: func.HttpRequest) -> func.HttpResponse:
    """The same with a response of the SDK's own, as functions usually answer."""
    return func.HttpResponse(ANSWER, status_code=200, mimetype=JSON)


@operation(bp, "POST", "api/raw", summary="Raw", body=RawBody(), scope="events:write", catalogue=catalogue)
async def raw_body(request: Request[None, bytes]) -> bytes:
    """A key, a limit and a body whose bytes are handed over."""
    return ANSWER


@operation(
    bp,
    "GET",
    "api/things/{thing}",
    summary="Parameters",
    path=ThingPath,
    query=ThingsQuery,
    response=Taken,
    scope="events:read",
    catalogue=catalogue,
)
async def validated_parameters(request: Request[ThingsQuery, None, ThingPath]) -> Taken:
    """A key, a limit, and parameters of path and query."""
    return Taken(taken=request.path.thing)


@operation(
    bp,
    "POST",
    "api/things",
    summary="Body",
    body=NewThing,
    response=Taken,
    scope="events:write",
    catalogue=catalogue,
)
async def validated_body(request: Request[None, NewThing]) -> Taken:
    """A key, a limit and a body as a model."""
    return Taken(taken=len(request.body.tags))


app.register_functions(bp)

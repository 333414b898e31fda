"""Assets and their sensors: which have sent readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, operation
from functions._http.continuation import Continuation
from functions._http.pagination import LINK, ContinuedPage, ContinuedQuery, continued_links
from shared import runtime
from shared.platform.errors import NotFound
from shared.platform.times import UtcTime
from shared.query.wanted import moment_at

bp = func.Blueprint()
TAGS = ["Sensor readings"]

AssetName = Annotated[str, Field(min_length=1, max_length=1024)]
_ASSETS = Continuation("assets", str)
_SENSORS = Continuation("sensors", str)


class AssetPath(ApiModel):
    """Which asset."""

    asset: Annotated[
        AssetName,
        Field(
            max_length=3072,
            description="The asset, percent-encoded; `%2F` stands for a slash. Paths cannot name `.`, `..`, "
            "and what holds a NUL or the text `%2F`: ask `/storage/sensors` for these.",
        ),
    ]


class SensorsQuery(ContinuedQuery):
    """Whose sensors."""

    asset: Annotated[AssetName, Field(description="The asset.")]


class KnownAsset(ApiModel):
    """An asset that has sent readings; times are bounds to the millisecond."""

    asset_id: str
    readings: int
    files: int = Field(description="Live files of the table, hot and cold.")
    first_time: UtcTime
    last_time: UtcTime


class AssetsPage(ContinuedPage):
    """Assets by name."""

    assets: list[KnownAsset]


class KnownSensor(ApiModel):
    """A sensor that has sent readings; times are bounds to the millisecond."""

    sensor_id: str
    readings: int
    first_time: UtcTime
    last_time: UtcTime


class SensorsPage(ContinuedPage):
    """The sensors of an asset by name."""

    sensors: list[KnownSensor]


@operation(
    bp,
    "GET",
    "storage/assets",
    summary="List the assets that have sent readings",
    tags=TAGS,
    query=ContinuedQuery,
    response=Described("Assets by name", AssetsPage, headers=LINK),
    scope="storage:read",
    open_locally=True,
    blocking=True,
    etag=True,
)
def list_assets(request: Request[ContinuedQuery, None, None]) -> Reply[dict[str, Any]]:
    """By name, landing included; it reads no rows, only what the table's log and the buffer tell."""
    query = request.query
    after = _ASSETS.position(query)
    found = runtime.inventory().assets(after, query.limit + 1, request.version).to_pylist()
    return _page(request, "assets", "asset_id", found, _ASSETS.token)


@operation(
    bp,
    "GET",
    "storage/assets/{asset}/sensors",
    summary="List the sensors of an asset",
    tags=TAGS,
    path=AssetPath,
    query=ContinuedQuery,
    response=Described("Sensors by name", SensorsPage, headers=LINK),
    errors=(404,),
    scope="storage:read",
    open_locally=True,
    blocking=True,
    etag=True,
)
def list_sensors_of_asset(request: Request[ContinuedQuery, None, AssetPath]) -> Reply[dict[str, Any]]:
    """By name, landing included; 404 for an asset that has sent nothing."""
    # The host decodes all of a path but slashes.
    asset = request.path.asset.replace("%2F", "/").replace("%2f", "/")
    query = SensorsQuery(asset=asset, limit=request.query.limit, continuation=request.query.continuation)
    found = _sensors(request, query)
    if not found and query.continuation is None:
        raise NotFound("There are no readings of this asset")
    return _page(request, "sensors", "sensor_id", found, lambda _, name: _SENSORS.token(query, name))


@operation(
    bp,
    "GET",
    "storage/sensors",
    summary="List the sensors of an asset of any name",
    tags=TAGS,
    query=SensorsQuery,
    response=Described("Sensors by name", SensorsPage, headers=LINK),
    scope="storage:read",
    open_locally=True,
    blocking=True,
    etag=True,
)
def list_sensors(request: Request[SensorsQuery, None, None]) -> Reply[dict[str, Any]]:
    """By name, landing included; none for an asset that has sent nothing."""
    return _page(request, "sensors", "sensor_id", _sensors(request, request.query), _SENSORS.token)


def _sensors(request: Request[Any, None, Any], query: SensorsQuery) -> list[dict[str, Any]]:
    after = _SENSORS.position(query)
    rows = runtime.inventory().sensors(query.asset, after, query.limit + 1, request.version)
    return rows.to_pylist()  # type: ignore[no-any-return]


def _page(
    request: Request[Any, None, Any],
    field: str,
    name: str,
    found: list[dict[str, Any]],
    token: Callable[[Any, str], str],
) -> Reply[dict[str, Any]]:
    """The answer with `found`, of which one more than wanted was asked for."""
    limit = request.query.limit
    shown = [_shown(line) for line in found[:limit]]
    following = token(request.query, shown[-1][name]) if len(found) > limit else None
    body = {field: shown, "count": len(shown), "continuation": following}
    return Reply(200, body, continued_links(request, following))


def _shown(line: dict[str, Any]) -> dict[str, Any]:
    first, last = (moment_at(line.pop(name)) for name in ("earliest", "latest"))
    return {**line, "first_time": first, "last_time": last}

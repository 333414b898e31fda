"""The data files of the sensor readings, as storage lists them."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, WholeNumber, operation
from functions._http.continuation import Continuation
from functions._http.pagination import LINK, ContinuedPage, ContinuedQuery, continued_links
from shared import runtime
from shared.lake.file_listing import StoredFile
from shared.platform.times import UtcTime
from shared.streams.readings import READINGS

bp = func.Blueprint()
TAGS = ["Storage"]
_MIB = 1_048_576
_PAGES = Continuation("azure-files", str)


class FilesQuery(ContinuedQuery):
    """Which files."""

    # No name has control characters, and storage cannot repeat them in its answer, which is XML.
    prefix: str = Field(
        "",
        max_length=1024,
        pattern=r"^[^\x00-\x1f\ufffe\uffff]*$",
        description="What the names start with.",
    )
    limit: Annotated[WholeNumber, Field(ge=1, le=5000, description="How many files at most.")] = 1000


class AzureFile(ApiModel):
    """A data file in the readings' container."""

    name: str
    size_mb: float = Field(description="MiB, three decimals.")
    last_modified: UtcTime
    content_type: str | None
    tier: str | None = Field(description="Access tier, such as `Hot` or `Cold`.")


class AzureFiles(ContinuedPage):
    """Files in the order of their names; `count` and `total_size_mb` are of the files in this answer."""

    files: list[AzureFile]
    total_size_mb: float = Field(description="MiB, three decimals.")


@operation(
    bp,
    "GET",
    "azure/files",
    summary="The data files of the sensor readings",
    tags=TAGS,
    query=FilesQuery,
    response=Described("Files in the order of their names", AzureFiles, headers=LINK),
    errors=(503,),
    scope="storage:read",
    open_locally=True,
    blocking=True,
)
def list_azure_files(request: Request[FilesQuery]) -> Reply[AzureFiles]:
    """Raw files (`raw/…`) and final ones, live or waiting for the clean-up; the table's own log is left out.

    All files in one answer where `limit` is not reached; else `continuation` is where to go on.
    """
    query = request.query
    found = runtime.file_listing().page(
        READINGS.container, query.prefix, _PAGES.position(query), query.limit + 1
    )
    files = found[: query.limit]
    continuation = _PAGES.token(query, files[-1].name) if len(found) > len(files) else None
    page = AzureFiles(
        files=[_shown(file) for file in files],
        count=len(files),
        total_size_mb=_mib(sum(file.size for file in files)),
        continuation=continuation,
    )
    return Reply(200, page, continued_links(request, continuation))


def _shown(file: StoredFile) -> AzureFile:
    return AzureFile(
        name=file.name,
        size_mb=_mib(file.size),
        last_modified=file.modified,
        content_type=file.content_type,
        tier=file.tier,
    )


def _mib(size: int) -> float:
    return round(size / _MIB, 3)

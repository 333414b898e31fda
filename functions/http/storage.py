"""Storage, operated by hand."""

from __future__ import annotations

from typing import Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Request, operation
from shared import runtime

bp = func.Blueprint()
TAGS = ["Storage"]

# How long a flush waits for another one at work: past the lease of an instance that died.
_WAIT_SECONDS = 20.0


class Flushed(ApiModel):
    """What a flush wrote."""

    status: Literal["completed"] = "completed"
    files_flushed: int
    files: list[str] = Field(description="The files that this flush wrote, container first.")


@operation(
    bp,
    "POST",
    "storage/flush",
    summary="Flush the buffers of all streams",
    tags=TAGS,
    response=Flushed,
    scope="storage:write",
    open_locally=True,
    blocking=True,
)
def flush_storage(request: Request) -> Flushed:
    """Commits everything that is landed by now, and answers when it is committed."""
    report = runtime.flusher().flush_all(wait_seconds=_WAIT_SECONDS)
    return Flushed(files_flushed=len(report.files), files=report.files)

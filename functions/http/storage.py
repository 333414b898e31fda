"""Storage, operated by hand."""

from __future__ import annotations

import asyncio
from typing import Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Request, operation
from shared import runtime
from shared.streams import STREAMS

bp = func.Blueprint()
TAGS = ["Storage"]

# How long a flush waits for another one at work: past the lease of an instance that died.
_WAIT_SECONDS = 20.0
# How long it waits for messages on their way from the broker.
_CATCH_UP_SECONDS = 5.0


class Flushed(ApiModel):
    """What a flush wrote."""

    status: Literal["completed"] = "completed"
    files_flushed: int
    files: list[str] = Field(description="The files that this flush wrote, container first.")
    job_id: str | None = Field(None, description="Its job; null where there was nothing to write.")


@operation(
    bp,
    "POST",
    "storage/flush",
    summary="Flush the buffers of all streams",
    tags=TAGS,
    response=Flushed,
    scope="storage:write",
    open_locally=True,
)
async def flush_storage(request: Request) -> Flushed:
    """Commits everything that the broker had when it was asked, and answers when it is committed.

    Where landing does not catch up within a few seconds, it commits what is landed by then.
    """
    await runtime.catch_up().wait(STREAMS, _CATCH_UP_SECONDS)
    done = await asyncio.to_thread(lambda: runtime.recorded_flush().flush_all(wait_seconds=_WAIT_SECONDS))
    return Flushed(files_flushed=len(done.report.files), files=done.report.files, job_id=done.job_id)

"""Storage, operated by hand."""

from __future__ import annotations

import asyncio
from typing import Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Request, operation
from shared import runtime
from shared.jobs.kinds import CLEANUP, UPLOAD
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


class UploadStarted(ApiModel):
    """The upload that is at work now; `running` where it was so before."""

    status: Literal["started", "running"]
    message: str
    files_to_process: int = Field(description="Files that were flushed and not uploaded yet.")
    job_id: str = Field(description="See `GET /storage/jobs/{id}`.")


class CleanupStarted(ApiModel):
    """The clean-up that is at work now; `running` where it was so before."""

    status: Literal["started", "running"]
    message: str
    job_id: str = Field(description="See `GET /storage/jobs/{id}`.")


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


@operation(
    bp,
    "POST",
    "upload/trigger",
    summary="Upload what was flushed to the cold tier",
    tags=TAGS,
    response=UploadStarted,
    errors=(503,),
    scope="storage:write",
    open_locally=True,
    blocking=True,
)
def trigger_upload(request: Request) -> UploadStarted:
    """Starts a job that takes every flushed file, of open hours too; the timer takes closed hours only.

    While an upload is at work, the answer is that one's.
    """
    files = runtime.upload_work().pending(closed_only=False)
    started = runtime.jobs().start(UPLOAD, {"closed_only": False})
    return UploadStarted(
        status="started" if started.new else "running",
        message=f"Upload of {files} files {'started' if started.new else 'is at work'} in background",
        files_to_process=files,
        job_id=started.job.id,
    )


@operation(
    bp,
    "POST",
    "cleanup/trigger",
    summary="Remove what nobody needs any more",
    tags=TAGS,
    response=CleanupStarted,
    errors=(503,),
    scope="storage:write",
    open_locally=True,
    blocking=True,
)
def trigger_cleanup(request: Request) -> CleanupStarted:
    """Starts a job that deletes uploaded raw files, what died work left, and dates past their retention.

    While a clean-up is at work, the answer is that one's.
    """
    started = runtime.jobs().start(CLEANUP)
    return CleanupStarted(
        status="started" if started.new else "running",
        message=f"Cleanup {'started' if started.new else 'is at work'} in background",
        job_id=started.job.id,
    )

"""Jobs: what runs, what ran, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import Field

from functions._http import ApiModel, Described, Reply, Request, operation
from functions._http.continuation import Continuation
from functions._http.pagination import LINK, ContinuedPage, ContinuedQuery, continued_links
from shared import runtime
from shared.jobs.models import Job, moment_of
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Storage"]

Kind = Literal["upload", "cleanup", "replay", "simulate", "recompute", "flush"]
_PAGES = Continuation("jobs", str)
_ID = "upload-01kax3v9k2m4t7w0z5c8e1g6j3"


class JobPath(ApiModel):
    """Which job."""

    id: Annotated[str, Field(max_length=64, description="The job's id.", examples=[_ID])]


class JobsQuery(ContinuedQuery):
    """Which jobs."""

    kind: Kind | None = Field(None, description="Only jobs of this kind.")


class Progress(ApiModel):
    """How far a job is; what is not known is null."""

    done: int | None
    total: int | None
    unit: str | None


class JobShown(ApiModel):
    """A job. Times are null until they come."""

    id: str
    kind: Kind
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    parameters: Mapping[str, Any]
    progress: Progress
    outcome: Mapping[str, Any] = Field(description="What it did, so far or in all; see docs/jobs.md.")
    error: str | None = Field(description="Why it failed, or waits to be tried again.")
    created_at: UtcTime
    started_at: UtcTime | None
    finished_at: UtcTime | None
    heartbeat_at: UtcTime | None = Field(description="When its runner last said that it lives.")
    attempts: int = Field(description="How often work on it began, since it last made its way.")
    instance: str | None


class JobsPage(ContinuedPage):
    """Jobs, newest first."""

    jobs: list[JobShown]


def shown(job: Job) -> JobShown:
    """The job as the API shows it."""
    return JobShown(
        id=job.id,
        kind=job.kind,  # type: ignore[arg-type]
        status=job.status.value,
        parameters=job.parameters,
        progress=Progress(done=job.done, total=job.total, unit=job.unit or None),
        outcome=job.outcome,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        heartbeat_at=job.touched_at if job.status.value == "running" else None,
        attempts=job.attempts,
        instance=job.instance,
    )


@operation(
    bp,
    "GET",
    "storage/jobs",
    summary="Uploads, clean-ups, flushes, replays and simulations",
    tags=TAGS,
    query=JobsQuery,
    response=Described("Jobs, newest first", JobsPage, headers=LINK),
    errors=(503,),
    scope="storage:read",
    open_locally=True,
    blocking=True,
)
def list_jobs(request: Request[JobsQuery]) -> Reply[JobsPage]:
    """Ended jobs are kept for `FLOE_JOB_RETENTION_DAYS`; flushes stand here when they committed something."""
    query = request.query
    found = runtime.jobs().list(query.kind, _PAGES.position(query), query.limit + 1)
    jobs = found[: query.limit]
    continuation = _PAGES.token(query, moment_of(jobs[-1].id)) if len(found) > len(jobs) else None
    page = JobsPage(count=len(jobs), continuation=continuation, jobs=[shown(job) for job in jobs])
    return Reply(200, page, continued_links(request, continuation))


@operation(
    bp,
    "GET",
    "storage/jobs/{id}",
    summary="One job",
    tags=TAGS,
    path=JobPath,
    response=JobShown,
    errors=(404, 503),
    scope="storage:read",
    open_locally=True,
    blocking=True,
)
def get_job(request: Request[None, None, JobPath]) -> JobShown:
    """How far it is and, once it ended, what it did."""
    return shown(runtime.jobs().get(request.path.id))


@operation(
    bp,
    "POST",
    "storage/jobs/{id}/cancel",
    summary="Ask a job to end",
    tags=TAGS,
    path=JobPath,
    response=JobShown,
    errors=(404, 409, 503),
    scope="storage:write",
    open_locally=True,
    blocking=True,
)
def cancel_job(request: Request[None, None, JobPath]) -> JobShown:
    """One that waits ends at once, one that runs at its next step; what it did stays done."""
    return shown(runtime.jobs().cancel(request.path.id))

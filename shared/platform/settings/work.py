"""Jobs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field


class WorkSettings:
    """Jobs."""

    job_lapse_seconds: Annotated[int, Field(ge=6, le=600)] = Field(
        60, description="Silence of a job's runner after which another instance takes the job."
    )
    job_slice_seconds: Annotated[int, Field(ge=10, le=540)] = Field(
        240, description="How long one invocation works on a job before another goes on with it."
    )
    job_retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="How long ended jobs are kept."
    )
